/**
 * Writes metadata to objects. The order matters: chown clears setuid and capabilities, attributes may be refused on
 * read-only objects, and every change updates the times.
 */
import type { ByteString } from '../bytes.ts'
import { isHostXattr } from '../plan/policy/host-xattrs.ts'
import type { WriteRules } from '../plan/policy/policies.ts'
import { decodeOwner, OWNER_XATTR } from '../plan/policy/rootless-owner.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import { isErrno } from '../sys/failure.ts'
import type { Identity } from '../sys/identity.ts'
import { freeBytes } from '../sys/free-space.ts'
import { privileges } from '../sys/privileges.ts'
import { status } from '../sys/status.ts'
import type { Xattr } from '../tar/entry.ts'
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
const SET_ID_BITS = 0o6000
const PRIVATE_FILE_MODE = 0o600

/** What a new object has from the start, so that calls that would change nothing can be skipped, and what may be skipped. */
export class Birthright {
  readonly keepsOwners: boolean
  readonly isLenient: boolean
  private readonly born: Identity
  /** Whether `user.*` attributes can be set on a file that its owner may not write. */
  private readonly writesAll = privileges().overridesModes

  constructor(born: Identity, { keepsOwners, isLenient }: WriteRules = EXACTLY) {
    this.born = born
    this.keepsOwners = keepsOwners
    this.isLenient = isLenient
  }

  owns(entry: StagedEntry): boolean {
    return this.keepsOwners || (entry.uid === this.born.uid && entry.gid === this.born.gid)
  }

  modeHolds(mode: number): boolean {
    return (mode & (SPECIAL_BITS | this.born.umask)) === 0
  }

  /** The mode to create a file with: private if its mode must be set later. */
  fileMode({ mode, xattrs }: Pick<StagedEntry, 'mode' | 'xattrs'>): number {
    const isLate = !this.writesAll && (mode & OWNER_WRITES) === 0 && xattrs.some(isOfUser)
    return this.modeHolds(mode) && !isLate ? mode : PRIVATE_FILE_MODE
  }
}

const EXACTLY: WriteRules = { isLenient: false, keepsOwners: false }
const OWNER_WRITES = 0o200

/** Called for an attribute that this file system cannot hold, which is not a reason to fail. */
export type OnLostXattr = (entry: StagedEntry, name: ByteString) => void

/** For a new regular file, by its descriptor. Its mode is still that of `fileMode`. */
export function writeFileMetadata(
  fd: number,
  entry: StagedEntry,
  born: Birthright,
  onLost: OnLostXattr
): void {
  if (!born.owns(entry)) setOwnerOf(fd, entry.uid, entry.gid)
  const set = setter(entry, born, onLost, fd, (name, value) => setXattrOf(fd, name, value))
  const user = entry.xattrs.filter(isOfUser)
  for (const xattr of user) set(xattr)
  if (born.fileMode(entry) !== entry.mode) writeMode(fd, entry, born)
  if (user.length < entry.xattrs.length)
    for (const xattr of entry.xattrs) if (!isOfUser(xattr)) set(xattr)
  setTimesOf(fd, entry.atime ?? entry.mtime, entry.mtime)
}

/** The kernel wants write permission for these, as for content (xattr(7)); the others belong to the owner or to root. */
function isOfUser([name]: Xattr): boolean {
  return name.startsWith('user.')
}

/** By descriptor. Set-ID bits may be refused, or silently dropped (chmod(2), if the group is not one of ours). */
function writeMode(fd: number, entry: StagedEntry, born: Birthright): void {
  const { mode } = entry
  if (!born.isLenient || (mode & SET_ID_BITS) === 0) {
    setModeOf(fd, mode)
    return
  }
  try {
    setModeOf(fd, mode)
  } catch (error) {
    if (!isErrno(error, 'EPERM', 'EACCES')) throw error
    setModeOf(fd, mode & ~SET_ID_BITS)
  }
  if (status(fd, '').mode !== mode) entry.unheld = { ...entry.unheld, mode }
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
  finish(directory, name, entry, born, onLost)
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
  finishDirectory(fd, entry, born, onLost)
}

/** For a directory that existed before: its old metadata is replaced. */
export function rewriteDirectoryMetadata(
  fd: number,
  entry: StagedEntry,
  born: Birthright,
  onLost: OnLostXattr
): void {
  if (!born.keepsOwners) setOwnerOf(fd, entry.uid, entry.gid)
  clearXattrs(fd, '')
  finishDirectory(fd, entry, born, onLost)
}

function finishDirectory(
  fd: number,
  entry: StagedEntry,
  born: Birthright,
  onLost: OnLostXattr
): void {
  const set = setter(entry, born, onLost, fd, (name, value) => setXattrOf(fd, name, value))
  for (const xattr of entry.xattrs) if (isOfUser(xattr)) set(xattr)
  writeMode(fd, entry, born)
  for (const xattr of entry.xattrs) if (!isOfUser(xattr)) set(xattr)
  setTimesOf(fd, entry.atime ?? entry.mtime, entry.mtime)
}

/** For a symbolic link whose metadata changed: its old metadata is replaced. */
export function rewriteLinkMetadata(
  directory: number,
  name: ByteString,
  entry: StagedEntry,
  born: Birthright,
  onLost: OnLostXattr
): void {
  if (!born.keepsOwners) setOwner(directory, name, entry.uid, entry.gid)
  clearXattrs(directory, name)
  finish(directory, name, entry, born, onLost)
}

/** Attributes and times are always set last. */
function finish(
  directory: number,
  name: ByteString,
  entry: StagedEntry,
  born: Birthright,
  onLost: OnLostXattr
): void {
  const set = setter(entry, born, onLost, directory, (key, value) =>
    setXattr(directory, name, key, value)
  )
  for (const xattr of entry.xattrs) set(xattr)
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

/** Sets attributes of one object; what cannot be is not set. @param fd on the same file system */
function setter(
  entry: StagedEntry,
  { isLenient }: Birthright,
  onLost: OnLostXattr,
  fd: number,
  set: (name: ByteString, value: ByteString) => void
): (xattr: Xattr) => void {
  return (xattr) => {
    const [name, value] = xattr
    try {
      set(name, value)
    } catch (error) {
      if (isLenient && isRefused(name, error)) rememberXattr(entry, xattr)
      else if (!cannotBeHeld(entry, name, error, fd)) throw error
      else if (isLenient) rememberXattr(entry, xattr)
      else onLost(entry, name)
    }
  }
}

/** EINVAL: an ACL names an id that this user namespace does not have. */
function isRefused(name: ByteString, error: unknown): boolean {
  if (isErrno(error, 'EINVAL')) return name.startsWith('system.posix_acl_')
  return isErrno(error, 'EPERM', 'EACCES')
}

/** An owner that cannot be in its attribute is remembered as an owner. */
function rememberXattr(entry: StagedEntry, [name, value]: Xattr): void {
  const { unheld } = entry
  entry.unheld =
    name === OWNER_XATTR
      ? { ...unheld, ...decodeOwner(value) }
      : { ...unheld, xattrs: [...(unheld?.xattrs ?? []), [name, value]] }
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
