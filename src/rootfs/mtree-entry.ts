/** Objects on disk in the manifest's terms. */
import type { ManifestEntry, MtreeType } from '../mtree/entry.ts'
import type { FileType } from '../sys/status.ts'
import type { Xattr } from '../tar/entry.ts'
import type { ScannedObject } from './scanned-object.ts'

/** As a manifest would list it, without `sha256`. */
export function toManifestEntry(
  { path, status, link }: ScannedObject,
  xattrs: readonly Xattr[]
): ManifestEntry {
  return {
    path,
    type: mtreeTypes[status.type],
    size: status.size,
    uid: status.uid,
    gid: status.gid,
    mode: status.mode,
    nlink: status.nlink,
    link,
    mtimeSec: status.mtimeSec,
    time: undefined,
    sha256: undefined,
    xattrs,
    other: undefined
  }
}

export const mtreeTypes: Readonly<Record<FileType, MtreeType>> = {
  file: 'file',
  directory: 'dir',
  symlink: 'link',
  fifo: 'fifo',
  char: 'char',
  block: 'block',
  socket: 'socket'
}
