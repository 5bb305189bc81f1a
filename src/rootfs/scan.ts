/** A root file system as it is now, in the manifest's terms, reading of files only what nobody remembers. */
import type { ByteString } from '../bytes.ts'
import type { ManifestEntry, MtreeType } from '../mtree/entry.ts'
import { readSymlink } from '../sys/names.ts'
import type { FileType, Status } from '../sys/status.ts'
import type { Xattr } from '../tar/entry.ts'
import { walk, type Walked } from './walk.ts'
import { readXattrs } from './xattrs.ts'

export interface Scanned {
  status: Status
  /** As a manifest would list it; without `sha256`, unless nothing changed. */
  entry: ManifestEntry
  /** Attributes that a manifest does not list: those of anything but files and directories. */
  unlisted: readonly Xattr[]
  /** Nothing changed: `entry` is the one that is remembered. */
  isRemembered: boolean
}

/** What is remembered of a path, if it surely is as it was. */
export type Remember = (
  path: ByteString,
  status: Status,
  unlisted: readonly Xattr[]
) => ManifestEntry | undefined

export function scan(rootfs: number, remember: Remember): Scanned[] {
  const found: Scanned[] = []
  for (const walked of walk(rootfs, NOTHING)) found.push(look(walked, remember))
  return found
}

const NOTHING: ReadonlySet<ByteString> = new Set()

/** Attributes of files and directories are read only where something changed: every edit of them shows in ctime. */
function look(walked: Walked, remember: Remember): Scanned {
  const { status, directory, name } = walked
  const path = walked.path === '' ? '.' : walked.path
  const isListed = status.type === 'file' || status.type === 'directory'
  const unlisted = isListed ? [] : readXattrs(directory, name)
  const known = remember(path, status, unlisted)
  if (known !== undefined) return { status, entry: known, unlisted, isRemembered: true }
  const xattrs = isListed ? readXattrs(directory, name) : []
  return { status, entry: toEntry(path, walked, xattrs), unlisted, isRemembered: false }
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
