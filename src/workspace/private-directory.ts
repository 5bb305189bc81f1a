/** A private directory for unfinished work: made, claimed, and used only by its handle. */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError, withPath } from '../errors.ts'
import { listDirectory } from '../sys/directory.ts'
import { isErrno } from '../sys/failure.ts'
import { close, openDirectory } from '../sys/files.ts'
import { handlePath, withoutHandles } from '../sys/handle-path.ts'
import { makeDirectory, removeEmptyDirectory } from '../sys/names.ts'
import { PRIVATE_MODE } from '../sys/private-mode.ts'
import { emptyDirectory } from '../sys/remove-tree.ts'
import { status } from '../sys/status.ts'
import { orTryAgain } from '../sys/try-again.ts'
import { isOwn, isStillAt, openClaimed } from './claim.ts'
import { MARK, mark } from './mark.ts'
import { isLasting } from './private-name.ts'

export interface PrivateDirectory {
  /** Open and claimed. */
  readonly fd: number
  /** A path for node:fs, which leads through the handle. */
  readonly path: string
  /** Its name in the directory that it was made in. */
  readonly name: ByteString
  /** Removes it with everything in it, unless it has another name by now. May be called again. */
  remove(): void
  /** Releases it. From then on it counts as left behind. */
  release(): void
}

/**
 * @param directory descriptor that stays open until the new directory is released
 * @param mode before the umask is applied
 * @throws SyscallError
 */
export function makePrivateDirectory(
  directory: number,
  nextName: () => ByteString,
  mode: number
): PrivateDirectory {
  for (;;) {
    const name = nextName()
    makeIn(directory, name, mode)
    const fd = claimNew(directory, name)
    if (fd !== undefined) return marked(new OpenDirectory(directory, name, fd))
  }
}

/** A name that nobody knows says nothing: the error names the directory that may not be written to. */
function makeIn(directory: number, name: ByteString, mode: number): void {
  try {
    makeDirectory(directory, name, mode)
  } catch (error) {
    throw withPath(error, withoutHandles(handlePath(directory)))
  }
}

function marked(directory: PrivateDirectory): PrivateDirectory {
  if (!isLasting(directory.name)) return directory
  try {
    mark(directory.fd)
    return directory
  } catch (error) {
    directory.remove()
    throw error
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

/** An open new directory that only its owner may enter. Leaves nothing behind if it fails. @throws SyscallError */
export function makeOwnDirectory(directory: number, name: ByteString): number {
  makeDirectory(directory, name, PRIVATE_MODE)
  try {
    return openNew(directory, name)
  } catch (error) {
    removeIfEmpty(directory, name)
    throw error
  }
}

/** If others may rename, the name may already lead to another directory. */
function openNew(directory: number, name: ByteString): number {
  const fd = openDirectory(directory, name)
  if (isOwn(status(fd, '')) && listDirectory(fd).length === 0) return fd
  close(fd)
  throw new OciUnpackError('TARGET_INVALID', 'A new directory was replaced by another one.', {
    facts: { path: display(name) },
    hint: 'Another process is renaming files in the directory above it. Work in a directory of your own.'
  })
}

/** Ignores a directory that no longer exists or contains something that is not ours. */
export function removeIfEmpty(directory: number, name: ByteString): void {
  try {
    removeEmptyDirectory(directory, name)
  } catch {
    // it is gone, or not empty
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

/** Empties a directory by its handle, its mark last. Removes its name only if that still leads there. @throws SyscallError */
export function removeClaimed(directory: number, name: ByteString, fd: number): void {
  if (!isStillAt(directory, name, fd)) return
  emptyDirectory(fd, MARK)
  if (isStillAt(directory, name, fd)) removeEmptyDirectory(directory, name)
}
