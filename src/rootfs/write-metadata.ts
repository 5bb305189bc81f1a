/**
 * Writes metadata to objects. The order matters: chown clears setuid and capabilities, attributes may be refused on
 * read-only objects, and every change updates the times.
 */
import type { ByteString } from '../bytes.ts'
import { isHostXattr } from '../plan/policy/host-xattrs.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import { isErrno } from '../sys/failure.ts'
import type { Identity } from '../sys/identity.ts'
import { freeBytes } from '../sys/free-space.ts'
import {
  listXattrs,
  removeXattr,
  setMode,
  setModeOf,
  setOwner,
  setOwnerOf,
  setTimes,
  setTimesOf,
  setXattr,
  setXattrOf
} from '../sys/metadata.ts'

const SPECIAL_BITS = 0o7000
const PRIVATE_FILE_MODE = 0o600

/** What a new object has from the start, so that calls that would change nothing can be skipped. */
export class Birthright {
  private readonly born: Identity

  constructor(born: Identity) {
    this.born = born
  }

  owns(entry: StagedEntry): boolean {
    return entry.uid === this.born.uid && entry.gid === this.born.gid
  }

  modeHolds(mode: number): boolean {
    return (mode & (SPECIAL_BITS | this.born.umask)) === 0
  }

  /** The mode to create a file with: private if its mode must be set later. */
  fileMode(mode: number): number {
    return this.modeHolds(mode) ? mode : PRIVATE_FILE_MODE
  }
}

/** Called for an attribute that this file system cannot hold, which is not a reason to fail. */
export type OnLostXattr = (entry: StagedEntry, name: ByteString) => void

/** For a new regular file, by its descriptor. */
export function writeFileMetadata(
  fd: number,
  entry: StagedEntry,
  born: Birthright,
  onLost: OnLostXattr
): void {
  if (!born.owns(entry)) setOwnerOf(fd, entry.uid, entry.gid)
  if (!born.modeHolds(entry.mode)) setModeOf(fd, entry.mode)
  setXattrsOf(fd, entry, onLost)
  setTimesOf(fd, entry.atime ?? entry.mtime, entry.mtime)
}

function setXattrsOf(fd: number, entry: StagedEntry, onLost: OnLostXattr): void {
  for (const [name, value] of entry.xattrs)
    tolerate(entry, name, onLost, fd, () => setXattrOf(fd, name, value))
}

/** For a new symbolic link or special file, by name. */
export function writeSpecialMetadata(
  directory: number,
  name: ByteString,
  entry: StagedEntry,
  born: Birthright,
  onLost: OnLostXattr
): void {
  if (!born.owns(entry)) setOwner(directory, name, entry.uid, entry.gid)
  if (entry.type !== 'symlink' && !born.modeHolds(entry.mode)) setMode(directory, name, entry.mode)
  finish(directory, name, entry, onLost)
}

/**
 * For a directory that this program made, private until now. It goes by descriptor, because its name may lead elsewhere
 * by now.
 */
export function writeDirectoryMetadata(
  fd: number,
  entry: StagedEntry,
  born: Birthright,
  onLost: OnLostXattr
): void {
  if (!born.owns(entry)) setOwnerOf(fd, entry.uid, entry.gid)
  finishDirectory(fd, entry, onLost)
}

/** For a directory that existed before: its old metadata is replaced. */
export function rewriteDirectoryMetadata(
  fd: number,
  entry: StagedEntry,
  onLost: OnLostXattr
): void {
  setOwnerOf(fd, entry.uid, entry.gid)
  clearXattrs(fd, '')
  finishDirectory(fd, entry, onLost)
}

function finishDirectory(fd: number, entry: StagedEntry, onLost: OnLostXattr): void {
  setModeOf(fd, entry.mode)
  setXattrsOf(fd, entry, onLost)
  setTimesOf(fd, entry.atime ?? entry.mtime, entry.mtime)
}

/** For a symbolic link whose metadata changed: its old metadata is replaced. */
export function rewriteLinkMetadata(
  directory: number,
  name: ByteString,
  entry: StagedEntry,
  onLost: OnLostXattr
): void {
  setOwner(directory, name, entry.uid, entry.gid)
  clearXattrs(directory, name)
  finish(directory, name, entry, onLost)
}

/** Attributes and times are always set last. */
function finish(
  directory: number,
  name: ByteString,
  entry: StagedEntry,
  onLost: OnLostXattr
): void {
  for (const [key, value] of entry.xattrs)
    tolerate(entry, key, onLost, directory, () => setXattr(directory, name, key, value))
  setTimes(directory, name, entry.atime ?? entry.mtime, entry.mtime)
}

function clearXattrs(directory: number, name: ByteString): void {
  for (const key of listXattrs(directory, name)) {
    if (isHostXattr(key)) continue
    try {
      removeXattr(directory, name, key)
    } catch (error) {
      if (!isErrno(error, 'EPERM', 'EACCES', 'ENODATA')) throw error
    }
  }
}

/** @param fd on the same file system */
function tolerate(
  entry: StagedEntry,
  name: ByteString,
  onLost: OnLostXattr,
  fd: number,
  set: () => void
): void {
  try {
    set()
  } catch (error) {
    if (!cannotBeHeld(entry, name, error, fd)) throw error
    onLost(entry, name)
  }
}

/** What attributes need at most: a block, or an inode and its blocks, for each. */
const ROOM_BYTES = 1024 * 1024

/** Attributes of one file that need no more than this together are held by every file system that has them at all. */
const LITTLE_BYTES = 512

/**
 * ENOTSUP: the file system has no such attributes. E2BIG, ERANGE: no file system holds a value or a name of this size.
 * ENOSPC: attributes of one file share a block on ext4 and btrfs; only if they are large and there is space for more is
 * this not a full disk. EPERM for `user.*` on anything but files and directories: no Linux file system supports them (xattr(7)), so an
 * image made elsewhere may contain what cannot exist here.
 */
function cannotBeHeld(entry: StagedEntry, name: ByteString, error: unknown, fd: number): boolean {
  if (isErrno(error, 'ENOTSUP', 'EOPNOTSUPP', 'E2BIG', 'ERANGE')) return true
  if (isErrno(error, 'ENOSPC')) return areLarge(entry) && freeBytes(fd) > ROOM_BYTES
  return (
    isErrno(error, 'EPERM') &&
    entry.type !== 'file' &&
    entry.type !== 'directory' &&
    name.startsWith('user.')
  )
}

function areLarge({ xattrs }: StagedEntry): boolean {
  return (
    xattrs.reduce((total, [name, value]) => total + name.length + value.length, 0) > LITTLE_BYTES
  )
}
