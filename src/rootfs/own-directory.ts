/** Working in a directory by its handle, and moving it, whatever its mode is. */
import type { ByteString } from '../bytes.ts'
import { baseName } from '../plan/names.ts'
import { isErrno } from '../sys/failure.ts'
import { close, openDirectory, openPlace } from '../sys/files.ts'
import { keepsUsOut, TO_CHANGE } from '../sys/kept-out.ts'
import { setModeOfPlace } from '../sys/metadata.ts'
import { renameNew } from '../sys/names.ts'
import { PRIVATE_MODE } from '../sys/private-mode.ts'
import { status } from '../sys/status.ts'

/**
 * Runs with a handle of a directory whose metadata is to be set, so that it cannot be replaced by a link meanwhile. For
 * a process without privileges, a directory whose mode locks out even its owner is first made accessible.
 */
export function withOwnDirectory(
  parent: number,
  name: ByteString,
  act: (fd: number) => void
): void {
  const fd = open(parent, name)
  try {
    act(fd)
  } finally {
    close(fd)
  }
}

function open(parent: number, name: ByteString): number {
  try {
    return openDirectory(parent, name)
  } catch (error) {
    if (!isErrno(error, 'EACCES')) throw error
  }
  const place = openPlace(parent, name)
  try {
    if (keepsUsOut(status(place, ''), TO_CHANGE)) setModeOfPlace(place, PRIVATE_MODE)
    return openDirectory(parent, name)
  } finally {
    close(place)
  }
}

/**
 * Renames an object that is new in the tree. To give a directory another parent, the kernel needs write access to the
 * directory itself. A finished one that does not even let its owner write is opened up meanwhile.
 * @throws SyscallError EEXIST if the new name is taken
 */
export function moveNew(
  fromDirectory: number,
  from: ByteString,
  directory: number,
  name: ByteString
): void {
  try {
    renameNew(fromDirectory, from, directory, name)
  } catch (error) {
    if (!isErrno(error, 'EACCES')) throw error
    moveOpenedUp(fromDirectory, from, directory, name, error)
  }
}

function moveOpenedUp(
  fromDirectory: number,
  from: ByteString,
  directory: number,
  name: ByteString,
  refusal: unknown
): void {
  const place = openPlace(fromDirectory, from)
  try {
    const found = status(place, '')
    if (found.type !== 'directory' || !keepsUsOut(found, TO_CHANGE)) throw refusal
    setModeOfPlace(place, found.mode | TO_CHANGE)
    try {
      renameNew(fromDirectory, from, directory, name)
    } finally {
      setModeOfPlace(place, found.mode)
    }
  } finally {
    close(place)
  }
}

/** The root that paths are relative to has no name in a directory of ours, so it is named `.`, in itself. */
export function nameIn(path: ByteString): ByteString {
  return path === '' ? '.' : baseName(path)
}
