/** Writes extended attributes as they follow an inode. */
import { compareBytes, display, toBuffer, type ByteString } from '../bytes.ts'
import type { Xattr } from '../tar/entry.ts'
import { unwritable } from './faults.ts'
import { aligned, XATTR_ENTRY, XATTR_HEADER } from './format.ts'

/** Names are stored as the number of a prefix and the rest. The first two are whole names. */
const PREFIXES: readonly (readonly [prefix: ByteString, index: number])[] = [
  ['system.posix_acl_access', 2],
  ['system.posix_acl_default', 3],
  ['user.', 1],
  ['trusted.', 4],
  ['security.', 6]
]
const WHOLE = new Set([2, 3])

const MAX_REST = 255
const MAX_VALUE = 0xffff
/** All attributes of an inode: their number of words has 16 bits, of which one stands for the header. */
const MAX_XATTRS = XATTR_HEADER + 4 * (0xffff - 1)

/** Why EROFS cannot hold an attribute; undefined if it can. */
export function xattrFault([name, value]: Xattr): string | undefined {
  const known = prefixOf(name)
  if (known === undefined) return `the prefix of the xattr "${display(name)}" is not one of EROFS`
  const rest = name.length - known.prefix.length
  if (!WHOLE.has(known.index) && rest === 0)
    return `the xattr "${display(name)}" has nothing after its prefix`
  if (rest > MAX_REST) return `the name of the xattr "${display(name)}" is longer than 255 bytes`
  if (name.includes('\0')) return `the name of the xattr "${display(name)}" contains a NUL`
  if (value.length > MAX_VALUE)
    return `the xattr "${display(name)}" has ${value.length} bytes of at most ${MAX_VALUE}`
  return undefined
}

/** The attributes of an inode, with their header; no bytes if there are none. @throws ENTRY_INVALID */
export function encodeXattrs(xattrs: readonly Xattr[], path: ByteString): Buffer {
  if (xattrs.length === 0) return Buffer.alloc(0)
  const fault = xattrs.map(xattrFault).find((reason) => reason !== undefined)
  if (fault !== undefined) throw unwritable(path, fault)
  const sorted = [...xattrs].sort(([a], [b]) => compareBytes(a, b))
  const bytes = Buffer.concat([Buffer.alloc(XATTR_HEADER), ...sorted.map(encodeXattr)])
  if (bytes.length > MAX_XATTRS)
    throw unwritable(path, `its xattrs fill ${bytes.length} bytes of at most ${MAX_XATTRS}`)
  return bytes
}

/** The number in the inode that stands for so many bytes of attributes. */
export function xattrCount(bytes: number): number {
  return bytes === 0 ? 0 : (bytes - XATTR_HEADER) / 4 + 1
}

function encodeXattr([name, value]: Xattr): Buffer {
  const { prefix, index } = prefixOf(name)!
  const rest = name.slice(prefix.length)
  const bytes = Buffer.alloc(aligned(XATTR_ENTRY + rest.length + value.length, 4))
  bytes.writeUInt8(rest.length, 0)
  bytes.writeUInt8(index, 1)
  bytes.writeUInt16LE(value.length, 2)
  toBuffer(rest + value).copy(bytes, XATTR_ENTRY)
  return bytes
}

function prefixOf(name: ByteString): { prefix: ByteString; index: number } | undefined {
  const found = PREFIXES.find(([prefix, index]) =>
    WHOLE.has(index) ? name === prefix : name.startsWith(prefix)
  )
  return found && { prefix: found[0], index: found[1] }
}
