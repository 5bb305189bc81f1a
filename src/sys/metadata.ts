/** Owner, mode, times and extended attributes, by descriptor or by name without following links. */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { failed } from './failed-call.ts'
import { isErrno, type SyscallError } from './failure.ts'
import { AT_FDCWD, octal } from './files.ts'
import { libcCalls as libc } from './libc.ts'
import { attributeName, firstPath, structure, valueBlock } from './memory.ts'
import { hasId, namespaceIds } from './user-namespace.ts'

const AT_SYMLINK_NOFOLLOW = 0x100

export interface Time {
  sec: number
  nsec: number
}

export function setOwner(directory: number, name: ByteString, uid: number, gid: number): void {
  if (libc.fchownat(directory, firstPath.string(name), uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
    throw notOwned(failed('fchownat', name, uid, gid), uid, gid)
}

export function setOwnerOf(fd: number, uid: number, gid: number): void {
  if (libc.fchown(fd, uid, gid) < 0)
    throw notOwned(failed('fchown', undefined, fd, uid, gid), uid, gid)
}

/** A user namespace refuses the ids that it does not have. @throws nothing */
function notOwned(cause: SyscallError, uid: number, gid: number): OciUnpackError {
  const ids = cause.errno === 'EINVAL' ? namespaceIds() : undefined
  if (ids === undefined) return cause
  const [kind, id, file] = hasId(ids.uidMap, uid)
    ? ['gid', gid, '/etc/subgid']
    : ['uid', uid, '/etc/subuid']
  return new OciUnpackError('ID_NOT_MAPPED', `The user namespace has no ${kind} ${id}.`, {
    facts: { ...cause.facts, found: id },
    hint: `Root can give this user a larger range in ${file}. Or use {rootless}, which needs no other ids.`,
    cause
  })
}

/** Follows a link in the last component, so never call it with the name of a symbolic link. */
export function setMode(directory: number, name: ByteString, mode: number): void {
  if (libc.fchmodat(directory, firstPath.string(name), mode, 0) < 0)
    throw failed('fchmodat', name, octal(mode))
}

export function setModeOf(fd: number, mode: number): void {
  if (libc.fchmod(fd, mode) < 0) throw failed('fchmod', undefined, fd, octal(mode))
}

/** By the handle of an object that was opened only to examine it, which fchmod(2) does not accept. Never of a link. */
export function setModeOfPlace(handle: number, mode: number): void {
  setMode(AT_FDCWD, `/proc/self/fd/${handle}`, mode)
}

export function setTimes(directory: number, name: ByteString, atime: Time, mtime: Time): void {
  const times = timespecs(atime, mtime)
  if (libc.utimensat(directory, firstPath.string(name), times, AT_SYMLINK_NOFOLLOW) < 0)
    throw failed('utimensat', name, mtime.sec, mtime.nsec)
}

export function setTimesOf(fd: number, atime: Time, mtime: Time): void {
  if (libc.futimens(fd, timespecs(atime, mtime)) < 0)
    throw failed('futimens', undefined, fd, mtime.sec, mtime.nsec)
}

function timespecs(atime: Time, mtime: Time): number {
  const view = structure.view()
  writeNumber(view, 0, atime.sec)
  view.writeInt32LE(atime.nsec, 8)
  view.writeInt32LE(0, 12)
  writeNumber(view, 16, mtime.sec)
  view.writeInt32LE(mtime.nsec, 24)
  view.writeInt32LE(0, 28)
  return structure.address
}

function writeNumber(view: Buffer, offset: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000)
  view.writeInt32LE(high, offset + 4)
  view.writeUInt32LE(value - high * 0x1_0000_0000, offset)
}

export function setXattr(
  directory: number,
  name: ByteString,
  key: ByteString,
  value: ByteString
): void {
  const path = firstPath.string(handlePath(directory, name))
  if (libc.lsetxattr(path, attributeName.string(key), writeValue(value), value.length, 0) < 0)
    throw failed('lsetxattr', name, display(key))
}

export function setXattrOf(fd: number, key: ByteString, value: ByteString): void {
  if (libc.fsetxattr(fd, attributeName.string(key), writeValue(value), value.length, 0) < 0)
    throw failed('fsetxattr', undefined, fd, display(key))
}

export function removeXattr(directory: number, name: ByteString, key: ByteString): void {
  const path = firstPath.string(handlePath(directory, name))
  if (libc.lremovexattr(path, attributeName.string(key)) < 0)
    throw failed('lremovexattr', name, display(key))
}

/** Names of all extended attributes; empty if the file system does not support any. */
export function listXattrs(directory: number, name: ByteString): ByteString[] {
  const path = firstPath.string(handlePath(directory, name))
  const list = readGrowing('llistxattr', name, (address, room) =>
    libc.llistxattr(path, address, room)
  )
  if (list === undefined || list === '') return []
  return list.slice(0, -1).split('\0')
}

/** The value, or undefined if the attribute no longer exists or is not supported. */
export function getXattr(
  directory: number,
  name: ByteString,
  key: ByteString
): ByteString | undefined {
  const path = firstPath.string(handlePath(directory, name))
  const attribute = attributeName.string(key)
  return readGrowing('lgetxattr', name, (address, room) =>
    libc.lgetxattr(path, attribute, address, room)
  )
}

/** The l*xattr calls have no *at form before Linux 6.13, so a path in /proc stands for the handle. */
function handlePath(directory: number, name: ByteString): ByteString {
  if (directory === AT_FDCWD) return name
  return name === '' ? `/proc/self/fd/${directory}/.` : `/proc/self/fd/${directory}/${name}`
}

function writeValue(value: ByteString): number {
  valueBlock.reserve(value.length)
  valueBlock.buffer.write(value, 'latin1')
  return valueBlock.address
}

function readGrowing(
  call: string,
  name: ByteString,
  read: (address: number, room: number) => number
): ByteString | undefined {
  for (;;) {
    const size = read(valueBlock.address, valueBlock.buffer.length)
    if (size >= 0) return valueBlock.buffer.toString('latin1', 0, size)
    const error = failed(call, name)
    if (isErrno(error, 'ENODATA', 'ENOTSUP', 'EOPNOTSUPP')) return undefined
    if (error.errno !== 'ERANGE') throw error
    valueBlock.reserve(Math.max(valueBlock.buffer.length * 2, read(0, 0)))
  }
}
