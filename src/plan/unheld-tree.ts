/** What the disk does not hold of the objects of a merged tree. */
import type { ByteString } from '../bytes.ts'
import { joinPath } from './names.ts'
import type { Unheld } from './policy/metadata-policy.ts'
import type { Directory, Inode } from './tree.ts'

export interface UnheldObject {
  /** Relative to the root; `''` for the root itself. */
  path: ByteString
  unheld: Unheld
  /** SHA-256 of a file's body as 32 bytes, if it is known. */
  sha256: ByteString | undefined
}

/** All names of all objects that lack something on disk. */
export function* unheldIn(root: Directory): Generator<UnheldObject> {
  const waiting: [ByteString, Directory][] = [['', root]]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [path, directory] = next
    const unheld = directory.entry?.unheld
    if (unheld !== undefined) yield { path, unheld, sha256: undefined }
    for (const [name, child] of directory.children) {
      const childPath = joinPath(path, name)
      if (child.kind === 'directory') waiting.push([childPath, child])
      else yield* ofInode(childPath, child.inode)
    }
  }
}

function* ofInode(path: ByteString, { entry, unheld, sha256 }: Inode): Generator<UnheldObject> {
  const lacking = entry === undefined ? unheld : entry.unheld
  if (lacking !== undefined) yield { path, unheld: lacking, sha256 }
}
