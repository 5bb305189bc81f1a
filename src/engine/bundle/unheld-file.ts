/** Writes down, beside the tree manifest, what the disk does not hold of an image that was just unpacked. */
import { unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { unheldFile } from '../../bundle/files.ts'
import {
  dependsOnContent,
  formatUnheld,
  parseUnheld,
  type UnheldDocument,
  type UnheldRecord
} from '../../bundle/unheld.ts'
import { toBuffer, type ByteString } from '../../bytes.ts'
import { baseName, parentPath } from '../../plan/names.ts'
import type { UnheldObject } from '../../plan/unheld-tree.ts'
import { DirectoryCursor } from '../../rootfs/directory-cursor.ts'
import { FileHasher } from '../../rootfs/hash-file.ts'
import type { Ledger } from '../../sys/ledger.ts'
import { birthTime, status } from '../../sys/status.ts'
import { readSymlink } from '../../sys/names.ts'
import { writeNew } from './new-bundle.ts'
import { readIfRegular } from './open-bundle.ts'

export interface FinishedTree {
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
  const document = unheldDocument({ rootfs, ledger }, objects)
  writeNew(join(directory, unheldFile(digest)), formatUnheld(document))
}

/**
 * Adds what the disk does not hold of objects that came to the tree after it was written, and forgets what was at their
 * paths.
 * @param came the paths of all that came, or went
 */
export function addToUnheldFile(
  directory: string,
  digest: string,
  tree: FinishedTree,
  objects: readonly UnheldObject[],
  came: ReadonlySet<ByteString>
): void {
  const path = join(directory, unheldFile(digest))
  const known = readUnheldFile(directory, digest)
  const before = known?.objects ?? []
  const kept = before.filter(({ path }) => !came.has(path === '.' ? '' : path))
  const document = unheldDocument(tree, objects)
  if (known !== undefined) unlinkSync(path)
  writeNew(path, formatUnheld({ ...document, objects: [...kept, ...document.objects] }))
}

/** Undefined if the disk holds everything. @throws BUNDLE_INVALID */
export function readUnheldFile(directory: string, digest: string): UnheldDocument | undefined {
  const path = join(directory, unheldFile(digest))
  const text = readIfRegular(path)?.toString()
  return text === undefined ? undefined : parseUnheld(text, path)
}

function unheldDocument(
  { rootfs, ledger }: FinishedTree,
  objects: readonly UnheldObject[]
): UnheldDocument {
  const cursor = new DirectoryCursor(rootfs, ledger)
  const hasher = new FileHasher(rootfs, ledger)
  try {
    const records = objects.map((object) => recordOf(cursor, hasher, object))
    const { device, inode } = status(rootfs, '')
    return { device, inode: String(inode), objects: records }
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
