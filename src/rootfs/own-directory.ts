import type { ByteString } from '../bytes.ts'
import { isErrno } from '../sys/failure.ts'
import { openDirectory } from '../sys/files.ts'
import { setMode } from '../sys/metadata.ts'

const PRIVATE_MODE = 0o700

/**
 * A directory whose metadata is to be set, by handle: nobody can put a link in its place meanwhile. Without privileges
 * one that its mode closes to its owner too is opened to that owner.
 */
export function openOwnDirectory(parent: number, name: ByteString): number {
  try {
    return openDirectory(parent, name)
  } catch (error) {
    if (!isErrno(error, 'EACCES')) throw error
  }
  setMode(parent, name, PRIVATE_MODE)
  return openDirectory(parent, name)
}
