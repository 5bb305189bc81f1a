/** The part of an object's metadata that its status contains and that can be written back. */
import type { Status } from '../sys/status.ts'
import type { Timespec } from '../tar/entry.ts'

export interface StatusMetadata {
  mode: number
  uid: number
  gid: number
  atime: Timespec
  mtime: Timespec
}

export function statusMetadata(status: Status): StatusMetadata {
  return {
    mode: status.mode,
    uid: status.uid,
    gid: status.gid,
    atime: { sec: status.atimeSec, nsec: status.atimeNsec },
    mtime: { sec: status.mtimeSec, nsec: status.mtimeNsec }
  }
}
