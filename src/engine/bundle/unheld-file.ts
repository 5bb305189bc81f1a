/** Writes down, beside the tree manifest, what the disk does not hold of an image that was just unpacked. */
import { join } from 'node:path'
import { unheldFile } from '../../bundle/files.ts'
import { dependsOnContent, formatUnheld, type UnheldRecord } from '../../bundle/unheld.ts'
import { toBuffer } from '../../bytes.ts'
import { baseName, parentPath } from '../../plan/names.ts'
import type { UnheldObject } from '../../plan/unheld-tree.ts'
import { DirectoryCursor } from '../../rootfs/directory-cursor.ts'
import { FileHasher } from '../../rootfs/hash-file.ts'
import type { Ledger } from '../../sys/ledger.ts'
import { birthTime, status } from '../../sys/status.ts'
import { readSymlink } from '../../sys/names.ts'
import { writeNew } from './new-bundle.ts'

interface FinishedTree {
  /** Descriptor. */
  rootfs: number
  /** Notes the modes of what has to be opened up. */
  ledger: Ledger | undefined
}

/** @param objects directories before what is in them: their modes are read before they are opened up */
export function writeUnheldFile(
  directory: string,
  digest: string,
  { rootfs, ledger }: FinishedTree,
  objects: readonly UnheldObject[]
): void {
  const cursor = new DirectoryCursor(rootfs, ledger)
  const hasher = new FileHasher(rootfs, ledger)
  try {
    const records = objects.map((object) => recordOf(cursor, hasher, object))
    const { device, inode } = status(rootfs, '')
    const text = formatUnheld({ device, inode: String(inode), objects: records })
    writeNew(join(directory, unheldFile(digest)), text)
  } finally {
    hasher.release()
    cursor.release()
  }
}

function recordOf(cursor: DirectoryCursor, hasher: FileHasher, object: UnheldObject): UnheldRecord {
  const { path, unheld } = object
  const directory = cursor.at(path === '' ? '' : parentPath(path))
  const name = path === '' ? '.' : baseName(path)
  const found = status(directory, name)
  const { type, inode, mode } = found
  const isDecisive = type === 'file' && dependsOnContent(unheld)
  return {
    path: path === '' ? '.' : path,
    type,
    inode: String(inode),
    born: birthTime(directory, name) ?? null,
    mode,
    link: type === 'symlink' ? readSymlink(directory, name) : '',
    sha256: isDecisive ? digestOf(object, hasher) : null,
    unheld
  }
}

/** These few files are hashed even if the bundle is lazy. */
function digestOf({ path, sha256 }: UnheldObject, hasher: FileHasher): string {
  return sha256 === undefined
    ? hasher.hash(path, () => undefined)
    : toBuffer(sha256).toString('hex')
}
