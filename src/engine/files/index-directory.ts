/** The directory that keeps indexes of layers. What it says decides what is read, so it has to be this user's own. */
import { closeSync, fstatSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { OciUnpackError, type Facts } from '../../errors.ts'
import type { Digest } from '../../image/digest.ts'
import { cacheDirectory } from '../../sys/cache-directory.ts'
import { isErrno } from '../../sys/failure.ts'
import { openRegularFile, type RegularFile } from '../../sys/open-regular.ts'
import { openOrMakeDirectory } from '../../sys/operator-directory.ts'
import { createNewFileAt, type NewFileAt } from '../../workspace/new-file-at.ts'
import type { OnEvent } from '../operation/events.ts'
import { leftoverTo } from '../operation/leftover.ts'

/** Only the owner reads it: an index tells what is in an image. */
const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700
const WRITABLE_BY_OTHERS = 0o022

export interface IndexDirectory {
  /** The file of a blob, which need not exist. */
  pathOf(blob: Digest): string
  /** Open, or undefined if there is none. A file that others could have written counts as none. */
  open(blob: Digest): RegularFile | undefined
  /** A new one. @throws SYSCALL_FAILED */
  create(blob: Digest): NewIndex
}

export interface NewIndex extends Pick<NewFileAt, 'fd' | 'discard'> {
  /** Gives it its name, in place of one that there may be. If it has no place to stay, it is only open. */
  publish(): void
}

/**
 * @param path default: in the user's cache. If that cannot be used, indexes are temporary files, which a warning says
 * @throws SYSCALL_FAILED, INDEX_INVALID for a directory that others may write to
 */
export function openIndexDirectory(path: string | undefined, onEvent: OnEvent): IndexDirectory {
  const wanted = resolve(path ?? join(cacheDirectory(), 'indexes'))
  try {
    prepare(wanted)
    return new Directory(wanted, onEvent)
  } catch (error) {
    if (path !== undefined || !isUnusable(error)) throw error
    onEvent({
      type: 'warning',
      message: 'Indexes of layers cannot be kept, and are made again each time.',
      facts: reasonOf(error, wanted)
    })
    return new TemporaryIndexes(onEvent)
  }
}

function prepare(path: string): void {
  const directory = openOrMakeDirectory(path, DIRECTORY_MODE)
  try {
    const { uid, mode } = fstatSync(directory.fd)
    if (uid === process.geteuid!() && (mode & WRITABLE_BY_OTHERS) === 0) return
    throw new OciUnpackError('INDEX_INVALID', 'The directory of indexes is not safe.', {
      facts: { path, reason: 'it belongs to another user, or others may write to it' },
      hint: 'Give {index} a directory of your own, to which nobody else may write.'
    })
  } finally {
    directory.close()
  }
}

/** A home that does not exist, a system that is read-only, … */
function isUnusable(error: unknown): boolean {
  return (
    isErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'ENOSPC', 'EDQUOT') ||
    (error instanceof OciUnpackError && error.code === 'INDEX_INVALID')
  )
}

function reasonOf(error: unknown, path: string): Facts {
  return { path, reason: error instanceof Error ? error.message : String(error) }
}

class Directory implements IndexDirectory {
  private readonly path: string
  private readonly onEvent: OnEvent

  constructor(path: string, onEvent: OnEvent) {
    this.path = path
    this.onEvent = onEvent
  }

  pathOf(blob: Digest): string {
    return join(this.path, blob.replace(':', '-'))
  }

  open(blob: Digest): RegularFile | undefined {
    const file = openIfThere(this.pathOf(blob))
    if (file === undefined) return undefined
    const { uid, mode } = fstatSync(file.fd)
    if (uid === process.geteuid!() && (mode & WRITABLE_BY_OTHERS) === 0) return file
    closeSync(file.fd)
    return undefined
  }

  create(blob: Digest): NewIndex {
    const file = createNewFileAt(this.pathOf(blob), leftoverTo(this.onEvent))
    return {
      fd: file.fd,
      discard: () => file.discard(),
      publish: () => file.publish({ replaces: true, mode: FILE_MODE })
    }
  }
}

/** Not a regular file, or a link: none. */
function openIfThere(path: string): RegularFile | undefined {
  try {
    return openRegularFile(path, 'refused')
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ELOOP') return undefined
    throw error
  }
}

class TemporaryIndexes implements IndexDirectory {
  private readonly onEvent: OnEvent

  constructor(onEvent: OnEvent) {
    this.onEvent = onEvent
  }

  pathOf(blob: Digest): string {
    return join(tmpdir(), blob.replace(':', '-'))
  }

  open(): undefined {
    return undefined
  }

  create(blob: Digest): NewIndex {
    const { fd, discard } = createNewFileAt(this.pathOf(blob), leftoverTo(this.onEvent))
    return { fd, discard, publish: () => undefined }
  }
}
