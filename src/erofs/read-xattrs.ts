/** Reads the extended attributes of an inode, its own and those that it shares. */
import { fromBuffer, type ByteString } from '../bytes.ts'
import type { Xattr } from '../tar/entry.ts'
import { BLOCK, XATTR_ENTRY, XATTR_HEADER } from './format.ts'
import type { ImageInode } from './read-inode.ts'
import { invalid, readBytes, type ReadableDevice } from './read-source.ts'
import type { Superblock } from './read-superblock.ts'

const PREFIXES: ReadonlyMap<number, ByteString> = new Map([
  [1, 'user.'],
  [2, 'system.posix_acl_access'],
  [3, 'system.posix_acl_default'],
  [4, 'trusted.'],
  [6, 'security.']
])

/** In the order of the image. @throws EROFS_INVALID */
export function readXattrs(
  image: ReadableDevice,
  superblock: Superblock,
  { xattrsAt, xattrBytes }: ImageInode
): Xattr[] {
  if (xattrBytes === 0) return []
  const offset = xattrsAt
  if (xattrBytes === XATTR_HEADER)
    throw invalid('an inode has attributes but none follow', { offset })
  const bytes = readBytes(image, offset, xattrBytes)
  const shared = bytes.readUInt8(4)
  let at = XATTR_HEADER + 4 * shared
  if (at > bytes.length) throw invalid('shared attributes cross the end of an inode', { offset })
  const found: Xattr[] = []
  for (let i = 0; i < shared; i++)
    found.push(readShared(image, superblock, bytes.readUInt32LE(XATTR_HEADER + 4 * i)))
  while (at < bytes.length) {
    const { xattr, length } = readEntry(bytes.subarray(at), offset + at)
    found.push(xattr)
    at += length
  }
  if (new Set(found.map(([name]) => name)).size < found.length)
    throw invalid('an inode has two attributes of one name', { offset })
  return found
}

function readShared(image: ReadableDevice, superblock: Superblock, id: number): Xattr {
  const at = superblock.sharedXattrs * BLOCK + id * 4
  const header = readBytes(image, at, XATTR_ENTRY)
  const length = XATTR_ENTRY + header.readUInt8(0) + header.readUInt16LE(2)
  return readEntry(readBytes(image, at, Math.ceil(length / 4) * 4), at).xattr
}

/** The attribute at the start of `bytes`, and its length with padding. */
function readEntry(bytes: Buffer, offset: number): { xattr: Xattr; length: number } {
  const nameLength = bytes.readUInt8(0)
  const prefix = PREFIXES.get(bytes.readUInt8(1))
  if (prefix === undefined) throw invalid('an attribute has an unknown prefix', { offset })
  const valueAt = XATTR_ENTRY + nameLength
  const end = valueAt + bytes.readUInt16LE(2)
  const length = Math.ceil(end / 4) * 4
  if (length > bytes.length) throw invalid('an attribute crosses the end of its inode', { offset })
  if (prefix.endsWith('.') ? nameLength === 0 : nameLength > 0)
    throw invalid('an attribute has a wrong name', { offset })
  const name = prefix + fromBuffer(bytes.subarray(XATTR_ENTRY, valueAt))
  if (name.includes('\0')) throw invalid('an attribute has a wrong name', { offset })
  return { xattr: [name, fromBuffer(bytes.subarray(valueAt, end))], length }
}
