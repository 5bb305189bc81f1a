/** Working in a directory by its handle. */
import type { ByteString } from '../bytes.ts'
import { baseName } from '../plan/names.ts'
import { isErrno } from '../sys/failure.ts'
import { close, openDirectory } from '../sys/files.ts'
import { setMode } from '../sys/metadata.ts'

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

/** Only the owner may enter. */
export const PRIVATE_MODE = 0o700

function open(parent: number, name: ByteString): number {
  try {
    return openDirectory(parent, name)
  } catch (error) {
    if (!isErrno(error, 'EACCES')) throw error
  }
  setMode(parent, name, PRIVATE_MODE)
  return openDirectory(parent, name)
}

/** The root that paths are relative to has no name in a directory of ours, so it is named `.`, in itself. */
export function nameIn(path: ByteString): ByteString {
  return path === '' ? '.' : baseName(path)
}
