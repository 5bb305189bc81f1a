/** Makes, links, renames and removes names in directories. Nothing here follows a link in the last component. */
import { display, type ByteString } from '../bytes.ts'
import { failed, failedWith } from './failed-call.ts'
import { isErrno, SyscallError } from './failure.ts'
import { octal } from './files.ts'
import { libcCalls as libc } from './libc.ts'
import { firstPath, secondPath, valueBlock } from './memory.ts'
import { statusIfThere } from './status.ts'

const AT_REMOVEDIR = 0x200
const RENAME_NOREPLACE = 1

export type SpecialType = 'char' | 'block' | 'fifo' | 'socket'

const typeBits: Readonly<Record<SpecialType, number>> = {
  char: 0o020000,
  block: 0o060000,
  fifo: 0o010000,
  socket: 0o140000
}

export function makeDirectory(directory: number, name: ByteString, mode: number): void {
  if (libc.mkdirat(directory, firstPath.string(name), mode) < 0)
    throw failed('mkdirat', name, octal(mode))
}

/** Device numbers are ignored for a FIFO and a socket. */
export function makeSpecial(
  directory: number,
  name: ByteString,
  type: SpecialType,
  mode: number,
  major: number,
  minor: number
): void {
  const device = type === 'fifo' || type === 'socket' ? 0 : deviceNumber(major, minor)
  if (libc.mknodat(directory, firstPath.string(name), typeBits[type] | mode, device) < 0)
    throw failed('mknodat', name, type, octal(mode), `${major}:${minor}`)
}

/** Linux's encoding of a device number (makedev(3)); majors have 12 bits, minors 20. */
function deviceNumber(major: number, minor: number): number {
  return (minor & 0xff) + major * 0x100 + Math.floor(minor / 0x100) * 0x100000
}

export function makeSymlink(target: ByteString, directory: number, name: ByteString): void {
  if (libc.symlinkat(secondPath.string(target), directory, firstPath.string(name)) < 0)
    throw failed('symlinkat', name)
}

/** The target of a symbolic link, unchanged. */
export function readSymlink(directory: number, name: ByteString): ByteString {
  const room = valueBlock.buffer.length
  const size = libc.readlinkat(directory, firstPath.string(name), valueBlock.address, room)
  if (size < 0) throw failed('readlinkat', name)
  return valueBlock.buffer.toString('latin1', 0, size)
}

/** Another name for the file itself. For a symbolic link, the link itself gets the name. */
export function makeLink(
  fromDirectory: number,
  from: ByteString,
  directory: number,
  name: ByteString
): void {
  const result = libc.linkat(
    fromDirectory,
    secondPath.string(from),
    directory,
    firstPath.string(name),
    0
  )
  if (result < 0) throw failed('linkat', name, `from "${display(from)}"`)
}

/**
 * Some file systems cannot refuse a name that is taken when they rename, such as zfs before 2.2 and NFS. There, what another
 * process makes between our look and our call is replaced.
 * @throws SyscallError EEXIST if the new name is taken
 */
export function renameNew(
  fromDirectory: number,
  from: ByteString,
  directory: number,
  name: ByteString
): void {
  if (isRenamedNew(fromDirectory, from, directory, name)) return
  if (statusIfThere(directory, name) !== undefined)
    throw new SyscallError('EEXIST', `renameat2("${display(name)}")`, display(name))
  renameOver(fromDirectory, from, directory, name)
}

/**
 * The same for a file, which replaces nothing on these file systems either if they have hard links. If the process is killed
 * there, the file may have both names.
 * @throws SyscallError EEXIST if the new name is taken
 */
export function renameFileNew(
  fromDirectory: number,
  from: ByteString,
  directory: number,
  name: ByteString
): void {
  if (isRenamedNew(fromDirectory, from, directory, name)) return
  try {
    makeLink(fromDirectory, from, directory, name)
  } catch (error) {
    if (isErrno(error, 'EEXIST')) throw error
    renameNew(fromDirectory, from, directory, name)
    return
  }
  removeFile(fromDirectory, from)
}

/** False if that cannot be told apart from replacing. */
function isRenamedNew(
  fromDirectory: number,
  from: ByteString,
  directory: number,
  name: ByteString
): boolean {
  if (rename(fromDirectory, from, directory, name, RENAME_NOREPLACE)) return true
  if (failedWith('EINVAL')) return false
  throw renameFailed(from, name)
}

/** Replaces whatever has the new name: a file by a file, an empty directory by a directory. */
export function renameOver(
  fromDirectory: number,
  from: ByteString,
  directory: number,
  name: ByteString
): void {
  if (!rename(fromDirectory, from, directory, name, 0)) throw renameFailed(from, name)
}

function rename(
  fromDirectory: number,
  from: ByteString,
  directory: number,
  name: ByteString,
  flags: number
): boolean {
  const [old, fresh] = [secondPath.string(from), firstPath.string(name)]
  return libc.renameat2(fromDirectory, old, directory, fresh, flags) === 0
}

function renameFailed(from: ByteString, name: ByteString): SyscallError {
  return failed('renameat2', name, `from "${display(from)}"`)
}

export function removeFile(directory: number, name: ByteString): void {
  if (libc.unlinkat(directory, firstPath.string(name), 0) < 0) throw failed('unlinkat', name)
}

/** A missing file is not an error. */
export function removeFileIfThere(directory: number, name: ByteString): void {
  if (libc.unlinkat(directory, firstPath.string(name), 0) < 0 && !failedWith('ENOENT'))
    throw failed('unlinkat', name)
}

export function removeEmptyDirectory(directory: number, name: ByteString): void {
  if (libc.unlinkat(directory, firstPath.string(name), AT_REMOVEDIR) < 0)
    throw failed('unlinkat', name, 'AT_REMOVEDIR')
}
