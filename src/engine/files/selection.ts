/** What to extract: the requested nodes, everything below them and the directories above. */
import type { ByteString } from '../../bytes.ts'
import { parentPath } from '../../plan/names.ts'
import { nodesFrom } from '../../plan/tree-paths.ts'
import type { Directory, Node } from '../../plan/tree.ts'
import type { FoundFile } from './find-files.ts'

/** Nodes by path, parents first. The root is not included: it becomes the destination. */
export type Selection = ReadonlyMap<ByteString, Node>

export function selectFiles(found: readonly FoundFile[]): Selection {
  const selection = new Map<ByteString, Node>()
  for (const { path, node, parent } of found) {
    for (const [at, directory] of withDirectoriesAbove(parentPath(path), parent))
      selection.set(at, directory)
    for (const [at, each] of nodesFrom(node, path)) if (at !== '') selection.set(at, each)
  }
  return selection
}

function withDirectoriesAbove(
  path: ByteString,
  directory: Directory | undefined
): [ByteString, Directory][] {
  if (directory === undefined || path === '') return []
  return [...withDirectoriesAbove(parentPath(path), directory.parent), [path, directory]]
}
