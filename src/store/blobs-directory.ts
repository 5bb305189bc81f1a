/** The directories that contain a layout's blobs, opened so that no other user can lead a writer out of the layout. */
import { fromText, type ByteString } from '../bytes.ts'
import type { DigestAlgorithm } from '../image/digest.ts'
import { flush } from '../sys/durable.ts'
import { isErrno } from '../sys/failure.ts'
import { close, openDirectory, openOperatorDirectory } from '../sys/files.ts'
import { handlePath } from '../sys/handle-path.ts'
import { setOwnerOf } from '../sys/metadata.ts'
import { makeDirectory } from '../sys/names.ts'
import { status } from '../sys/status.ts'
import type { Owner } from '../workspace/new-file.ts'

/**
 * A descriptor of `blobs/ALGORITHM`, which is created if it is missing.
 * @param layout descriptor
 * @param owner owner of what is created; undefined for the user who runs this program
 * @throws SyscallError ELOOP, ENOTDIR for a link in another user's layout
 */
export function openBlobsDirectory(
  layout: number,
  algorithm: DigestAlgorithm,
  owner: Owner | undefined
): number {
  return inBlobs(layout, (blobs) => {
    const found = openIfThere(layout, blobs, algorithm)
    return found ?? makeIn(blobs, algorithm, owner)
  })
}

/** The same, or undefined if it is missing. */
export function findBlobsDirectory(layout: number, algorithm: DigestAlgorithm): number | undefined {
  return inBlobs(layout, (blobs) => openIfThere(layout, blobs, algorithm))
}

function inBlobs<T>(layout: number, act: (blobs: number) => T): T {
  const blobs = open(layout, layout, 'blobs')
  try {
    return act(blobs)
  } finally {
    close(blobs)
  }
}

function openIfThere(layout: number, blobs: number, name: ByteString): number | undefined {
  try {
    return open(layout, blobs, name)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Links are followed only in a layout of the user's own. */
function open(layout: number, directory: number, name: ByteString): number {
  return isOthers(layout)
    ? openDirectory(directory, name)
    : openOperatorDirectory(fromText(`${handlePath(directory)}/${name}`))
}

/** Whether another user may change names in it. */
function isOthers(layout: number): boolean {
  const { uid, gid, mode } = status(layout, '')
  const groupMay = (mode & 0o020) !== 0 && gid !== process.getegid!()
  return uid !== process.geteuid!() || (mode & 0o002) !== 0 || groupMay
}

function makeIn(blobs: number, name: ByteString, owner: Owner | undefined): number {
  try {
    makeDirectory(blobs, name, 0o777)
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  }
  const fd = openDirectory(blobs, name)
  try {
    if (owner !== undefined) setOwnerOf(fd, owner.uid, owner.gid)
    flush(blobs)
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}
