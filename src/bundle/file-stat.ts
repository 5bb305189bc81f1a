/** What fingerprints record of an object, made from its status. */
import { createHash } from 'node:crypto'
import { toBuffer } from '../bytes.ts'
import type { Status } from '../sys/status.ts'
import type { Xattr } from '../tar/entry.ts'
import type { FileStat } from './fingerprint-record.ts'

/**
 * What the fingerprints record of an object. The size field also covers what umoci's keywords leave out: the number of
 * a device, and the extended attributes of anything but files and directories.
 */
export function fileStat(status: Status, xattrs: readonly Xattr[]): FileStat {
  const isListed = status.type === 'file' || status.type === 'directory'
  return {
    dev: status.device,
    ino: status.inode,
    size: isListed ? status.size : status.size + deviceNumber(status) + mark(xattrs),
    mtime: { sec: status.mtimeSec, nsec: status.mtimeNsec },
    ctime: { sec: status.ctimeSec, nsec: status.ctimeNsec }
  }
}

function deviceNumber({ devMajor, devMinor }: Status): number {
  return devMajor * 2 ** 20 + devMinor
}

/** A number of 48 bits that depends on the attributes; 0 if there are none. */
function mark(xattrs: readonly Xattr[]): number {
  if (xattrs.length === 0) return 0
  const hash = createHash('sha256')
  for (const [name, value] of xattrs.toSorted(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(toBuffer(`${name}\0${value.length}\0${value}`))
  return hash.digest().readUIntBE(0, 6)
}
