/** A directory for what is not finished: made, claimed, and used by its handle alone. */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { listDirectory } from '../sys/directory.ts'
import { isErrno } from '../sys/failure.ts'
import { close, openDirectory } from '../sys/files.ts'
import { handlePath } from '../sys/handle-path.ts'
import { makeDirectory, removeEmptyDirectory } from '../sys/names.ts'
import { emptyDirectory } from '../sys/remove-tree.ts'
import { status } from '../sys/status.ts'
import { orTryAgain } from '../sys/try-again.ts'
import { isOwn, isStillAt, openClaimed } from './claim.ts'

/** Only the owner may enter. */
export const PRIVATE_MODE = 0o700

export interface PrivateDirectory {
  /** Open and claimed. */
  readonly fd: number
  /** Leads through the handle: for node:fs. */
  readonly path: string
  /** In the directory that it was made in. */
  readonly name: ByteString
  /** Removes it with all that it holds, unless it has another name by now. May be called again. */
  remove(): void
  /** Lets go of it: from here on it is left behind. */
  release(): void
}

/**
 * @param directory descriptor that stays open until the new directory is released
 * @param mode less the umask
 * @throws SyscallError
 */
export function makePrivateDirectory(
  directory: number,
  nextName: () => ByteString,
  mode: number
): PrivateDirectory {
  for (;;) {
    const name = nextName()
    makeDirectory(directory, name, mode)
    const fd = claimNew(directory, name)
    if (fd !== undefined) return new OpenDirectory(directory, name, fd)
  }
}

/** Undefined if another process took it for a leftover before it could be claimed. */
function claimNew(directory: number, name: ByteString): number | undefined {
  try {
    const fd = openClaimed(directory, name, openNew, ['ours', 'unknown'])
    if (fd === undefined) removeIfEmpty(directory, name)
    return fd
  } catch (error) {
    removeIfEmpty(directory, name)
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** A new directory that only its owner may enter, open; where it fails, nothing new is there. @throws SyscallError */
export function makeOwnDirectory(directory: number, name: ByteString): number {
  makeDirectory(directory, name, PRIVATE_MODE)
  try {
    return openNew(directory, name)
  } catch (error) {
    removeIfEmpty(directory, name)
    throw error
  }
}

/** Where others may rename, the name may lead to another directory already. */
function openNew(directory: number, name: ByteString): number {
  const fd = openDirectory(directory, name)
  if (isOwn(status(fd, '')) && listDirectory(fd).length === 0) return fd
  close(fd)
  throw new OciUnpackError('TARGET_INVALID', 'A new directory was replaced by another one.', {
    facts: { path: display(name) },
    hint: 'Another process is renaming files in the directory above it. Work in a directory of your own.'
  })
}

/** What is gone already, or holds something that is not ours, is left alone. */
export function removeIfEmpty(directory: number, name: ByteString): void {
  try {
    removeEmptyDirectory(directory, name)
  } catch {
    // as said above
  }
}

class OpenDirectory implements PrivateDirectory {
  readonly fd: number
  readonly path: string
  readonly name: ByteString
  private readonly directory: number
  private isOpen = true

  constructor(directory: number, name: ByteString, fd: number) {
    this.directory = directory
    this.name = name
    this.fd = fd
    this.path = handlePath(fd)
  }

  remove(): void {
    if (!this.isOpen) return
    try {
      orTryAgain(() => removeClaimed(this.directory, this.name, this.fd))
    } finally {
      this.release()
    }
  }

  release(): void {
    if (this.isOpen) close(this.fd)
    this.isOpen = false
  }
}

/** Empties a directory by its handle; the name goes only if it still leads there. @throws SyscallError */
export function removeClaimed(directory: number, name: ByteString, fd: number): void {
  if (!isStillAt(directory, name, fd)) return
  emptyDirectory(fd)
  if (isStillAt(directory, name, fd)) removeEmptyDirectory(directory, name)
}
