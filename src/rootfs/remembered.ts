/** Metadata of directories and symbolic links, to be restored exactly later if the object still has the same type. */
import type { ByteString } from '../bytes.ts'
import { isHostXattr } from '../plan/policy/host-xattrs.ts'
import { isErrno } from '../sys/failure.ts'
import {
  removeXattr,
  setModeOf,
  setOwner,
  setOwnerOf,
  setTimes,
  setTimesOf,
  setXattr
} from '../sys/metadata.ts'
import { PRIVATE_MODE } from '../sys/private-mode.ts'
import { status, type FileType } from '../sys/status.ts'
import type { Xattr } from '../tar/entry.ts'
import { withOwnDirectory } from './own-directory.ts'
import { statusMetadata, type StatusMetadata } from './status-metadata.ts'
import { readXattrs } from './xattrs.ts'

export interface Remembered extends StatusMetadata {
  type: FileType
  /** Undefined if only the times will have to be restored. */
  xattrs: Xattr[] | undefined
}

/** @param all whether to include attributes, which cost calls */
export function remember(directory: number, name: ByteString, all: boolean): Remembered {
  const found = status(directory, name)
  return {
    type: found.type,
    ...statusMetadata(found),
    xattrs: all ? readXattrs(directory, name) : undefined
  }
}

/** An object whose type has changed meanwhile is left alone. */
export function putBack(directory: number, name: ByteString, before: Remembered): void {
  if (status(directory, name).type !== before.type) return
  if (before.type === 'symlink') putBackLink(directory, name, before)
  else if (before.type === 'directory') putBackDirectory(directory, name, before)
}

/** Restores the times of a directory. */
export function putBackTimes(
  fd: number,
  { atime, mtime }: Pick<StatusMetadata, 'atime' | 'mtime'>
): void {
  try {
    setTimesOf(fd, atime, mtime)
  } catch (error) {
    // write access to another user's directory does not include setting its times
    if (!isErrno(error, 'EPERM')) throw error
  }
}

function putBackLink(directory: number, name: ByteString, before: Remembered): void {
  const { uid, gid, atime, mtime } = before
  setOwner(directory, name, uid, gid)
  putBackXattrs(directory, name, before)
  setTimes(directory, name, atime, mtime)
}

function putBackDirectory(directory: number, name: ByteString, before: Remembered): void {
  withOwnDirectory(directory, name, (fd) => {
    setOwnerOf(fd, before.uid, before.gid)
    // attributes are reached through the directory: it must be open to its owner
    setModeOf(fd, PRIVATE_MODE)
    putBackXattrs(fd, '', before)
    setModeOf(fd, before.mode)
    putBackTimes(fd, before)
  })
}

function putBackXattrs(directory: number, name: ByteString, { xattrs = [] }: Remembered): void {
  const now = new Map(readXattrs(directory, name))
  for (const [key, value] of xattrs) {
    if (now.get(key) !== value) setXattr(directory, name, key, value)
    now.delete(key)
  }
  for (const key of now.keys()) if (!isHostXattr(key)) removeXattr(directory, name, key)
}
