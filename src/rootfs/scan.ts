/** A root file system as it is now, in the manifest's terms, reading of files only what nobody remembers. */
import type { ByteString } from '../bytes.ts'
import { fileStat } from '../bundle/file-stat.ts'
import type { FileStat } from '../bundle/fingerprints.ts'
import { recordsXattrs, type ManifestEntry, type MtreeType } from '../mtree/entry.ts'
import { readSymlink } from '../sys/names.ts'
import type { FileType, Status } from '../sys/status.ts'
import type { Xattr } from '../tar/entry.ts'
import { walk, type Walked } from './walk.ts'
import { readXattrs } from './xattrs.ts'

export interface Scanned {
  status: Status
  /** As a manifest would list it; without `sha256`, unless nothing changed. */
  entry: ManifestEntry
  /** What the fingerprints would remember of it. */
  stat: FileStat
  /** Nothing changed: `entry` is the one that is remembered. */
  isRemembered: boolean
}

export type Unchanged = (path: ByteString, stat: FileStat) => ManifestEntry | undefined

export function scan(rootfs: number, unchanged: Unchanged): Scanned[] {
  const found: Scanned[] = []
  for (const walked of walk(rootfs, NOTHING)) found.push(look(walked, unchanged))
  return found
}

const NOTHING: ReadonlySet<ByteString> = new Set()

/** Attributes are read only where the change time is new: every edit of them moves it. */
function look(walked: Walked, unchanged: Unchanged): Scanned {
  const { status } = walked
  const path = walked.path === '' ? '.' : walked.path
  const isListed = recordsXattrs(mtreeTypes[status.type])
  if (isListed) {
    const stat = fileStat(status, [])
    const entry = unchanged(path, stat)
    if (entry !== undefined) return { status, entry, stat, isRemembered: true }
  }
  const xattrs = readXattrs(walked.directory, walked.name)
  const stat = fileStat(status, xattrs)
  const entry = isListed ? undefined : unchanged(path, stat)
  if (entry !== undefined) return { status, entry, stat, isRemembered: true }
  return { status, entry: toEntry(path, walked, isListed ? xattrs : []), stat, isRemembered: false }
}

function toEntry(path: ByteString, walked: Walked, xattrs: readonly Xattr[]): ManifestEntry {
  const { status, directory, name } = walked
  return {
    path,
    type: mtreeTypes[status.type],
    size: status.size,
    uid: status.uid,
    gid: status.gid,
    mode: status.mode,
    nlink: status.nlink,
    link: status.type === 'symlink' ? readSymlink(directory, name) : undefined,
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
