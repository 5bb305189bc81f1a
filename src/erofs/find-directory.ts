/** Follows a path in the tree of an image that is being made, as `plan/tree.ts` does in the merged tree. */
import type { ByteString } from '../bytes.ts'
import { unwritable } from './faults.ts'
import { ROOT, type ImageTree } from './image-tree.ts'

/** Number of links in one path after which it counts as a loop, as in the merged tree. */
const MAX_SYMLINKS = 255

export interface FoundDirectory {
  /** The deepest that exists. */
  directory: number
  /** The names that are missing below it, or are not directories. */
  missing: ByteString[]
  /** How many symbolic links were followed. */
  links: number
}

/** Follows every component, including symbolic links, inside the root. @throws ENTRY_INVALID if links form a loop */
export function findDirectory(tree: ImageTree, path: ByteString): FoundDirectory {
  let directory = ROOT
  const missing: ByteString[] = []
  const pending = path.split('/').reverse()
  let links = 0
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (missing.pop() === undefined) directory = tree.parentOf(directory)
      continue
    }
    const child = missing.length > 0 ? undefined : tree.child(directory, name)
    const target = child === undefined ? undefined : tree.targetOf(child)
    if (child !== undefined && tree.isDirectory(child)) directory = child
    else if (target === undefined) missing.push(name)
    else {
      if (++links > MAX_SYMLINKS) throw unwritable(path, `more than ${MAX_SYMLINKS} links`)
      if (target.startsWith('/')) directory = ROOT
      pending.push(...target.split('/').reverse())
    }
  }
  return { directory, missing, links }
}
