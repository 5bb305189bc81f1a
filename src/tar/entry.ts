/** The types that describe an entry of an archive. */
import type { ByteString } from '../bytes.ts'

export type EntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo'

/** A point in time with nanoseconds; `sec` may be negative, `nsec` is 0…999,999,999 and counts forward. */
export interface Timespec {
  sec: number
  nsec: number
}

/** An extended attribute: name and value as bytes. */
export type Xattr = readonly [name: ByteString, value: ByteString]

/** One member of a layer, with all PAX and GNU extensions already applied. */
export interface TarEntry {
  type: EntryType
  /** As in the archive: not cleaned, possibly absolute or with a trailing slash. */
  name: ByteString
  /** Target of a symlink (unchanged) or hardlink (an archive name); empty otherwise. */
  link: ByteString
  /** Permission, setuid, setgid and sticky bits only (0…0o7777). */
  mode: number
  uid: number
  gid: number
  /** Logical size of the body in bytes: for a sparse file, including holes. */
  size: number
  mtime: Timespec
  /** Only if a PAX record gives it. */
  atime?: Timespec
  devMajor: number
  devMinor: number
  /** `SCHILY.xattr.*` records in archive order; only the last of equal names. */
  xattrs: readonly Xattr[]
  /** Only from a reader of archives (`Dialect`): PAX records whose metadata layers have in another form. */
  foreign?: ReadonlyMap<ByteString, ByteString>
  /** Bytes from the start of the (uncompressed) archive to the entry's first header block. */
  offset: number
}
