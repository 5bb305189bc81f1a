/** What an image contains, and whether EROFS can express it. */
import type { ByteString } from '../bytes.ts'
import type { EntryType, Timespec, Xattr } from '../tar/entry.ts'
import { unwritable } from './faults.ts'
import { MAX_NAME, MAX_TARGET } from './format.ts'

/** A file, directory, link or special file. Entries of layers, staged or indexed, are such objects. */
export interface ImageObject {
  type: Exclude<EntryType, 'hardlink'>
  /** For messages only. */
  path: ByteString
  /** Permission, setuid, setgid and sticky bits. */
  mode: number
  uid: number
  gid: number
  mtime: Timespec
  xattrs: readonly Xattr[]
  /** Of a file, with its holes. */
  size: number
  /** Target of a symbolic link. */
  link: ByteString
  devMajor: number
  devMinor: number
}

/** An entry of a layer that is an object, and not another name or a mark. */
export function isObject<T extends { type: string }>(
  entry: T
): entry is T & { type: ImageObject['type'] } {
  return entry.type !== 'hardlink' && entry.type !== 'whiteout' && entry.type !== 'opaque'
}

/** Refuses (`ENTRY_INVALID`) what has no form in an image. Attributes are checked where they are encoded. */
export function checkObject(object: ImageObject): void {
  const reason = numberFault(object) ?? linkFault(object)
  if (reason !== undefined) throw unwritable(object.path, reason)
}

/** @throws ENTRY_INVALID for what cannot be the name of an entry */
export function checkName(name: ByteString): void {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
    throw unwritable(name, 'this is not a name in a directory')
  if (name.length > MAX_NAME)
    throw unwritable(name, `its name has ${name.length} bytes of at most ${MAX_NAME}`)
}

const MAX_ID = 0xffff_ffff
/** Device numbers have 12 and 20 bits. */
const MAX_MAJOR = 0xfff
const MAX_MINOR = 0xf_ffff

function numberFault(object: ImageObject): string | undefined {
  const { mode, uid, gid, mtime, size, devMajor, devMinor } = object
  if (!isUpTo(mode, 0o7777)) return `${mode} is not a mode`
  if (!isUpTo(uid, MAX_ID)) return `${uid} is not an id of 32 bits`
  if (!isUpTo(gid, MAX_ID)) return `${gid} is not an id of 32 bits`
  if (!Number.isSafeInteger(mtime.sec) || !isUpTo(mtime.nsec, 999_999_999))
    return 'its time is out of range'
  if (!isUpTo(size, Number.MAX_SAFE_INTEGER)) return `${size} is not a size`
  return isUpTo(devMajor, MAX_MAJOR) && isUpTo(devMinor, MAX_MINOR)
    ? undefined
    : `the device number ${devMajor}:${devMinor} has more than 12 and 20 bits`
}

function linkFault({ type, link }: ImageObject): string | undefined {
  if (type !== 'symlink') return undefined
  if (link === '' || link.includes('\0')) return 'the target of the link is empty or contains a NUL'
  return link.length <= MAX_TARGET
    ? undefined
    : `the target of the link has ${link.length} bytes of at most ${MAX_TARGET}`
}

function isUpTo(value: number, limit: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= limit
}
