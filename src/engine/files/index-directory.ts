/** The directory that keeps indexes of layers. What it says decides what is read, so it has to be this user's own. */
import { closeSync, fstatSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { OciUnpackError, withHint, type Facts } from '../../errors.ts'
import type { Digest } from '../../image/digest.ts'
import { cacheDirectory } from '../../sys/cache-directory.ts'
import { fromNode, isErrno } from '../../sys/failure.ts'
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
  /** Where indexes go if this failure says that they cannot be kept here, which a warning says. Undefined: nowhere. */
  instead(error: unknown): IndexDirectory | undefined
}

export interface NewIndex extends Pick<NewFileAt, 'fd' | 'discard'> {
  /** Gives it its name, in place of one that there may be. If it has no place to stay, it is only open. */
  publish(): void
}

/**
 * @param path default: in the user's cache. If that cannot be used, indexes are temporary files, which a warning says
 * @throws USAGE, SYSCALL_FAILED, INDEX_INVALID for a directory that others may write to
 */
export function openIndexDirectory(path: string | undefined, onEvent: OnEvent): IndexDirectory {
  if (path !== undefined) return openLastingDirectory(path, onEvent)
  const wanted = defaultPath()
  if (wanted === undefined) return temporary({ reason: NO_HOME }, onEvent)
  try {
    prepare(wanted)
  } catch (error) {
    if (!isUnusable(error)) throw error
    return temporary(reasonOf(error, wanted), onEvent)
  }
  return new Directory(wanted, onEvent, (error) =>
    isErrno(error, ...UNWRITABLE) ? temporary(reasonOf(error, wanted), onEvent) : undefined
  )
}

/**
 * For indexes that must be kept, or have a place that was asked for.
 * @throws USAGE, SYSCALL_FAILED, INDEX_INVALID for a directory that others may write to
 */
export function openLastingDirectory(path: string | undefined, onEvent: OnEvent): IndexDirectory {
  if (path === '')
    throw new OciUnpackError('USAGE', 'The directory of indexes has no name.', {
      hint: 'Give {index} a directory, or leave it out for the one in your cache.'
    })
  const place = path ?? defaultPath()
  if (place === undefined)
    throw new OciUnpackError('USAGE', 'There is no directory for indexes.', {
      facts: { reason: NO_HOME },
      hint: 'Give {index} a directory.'
    })
  const wanted = resolve(place)
  try {
    prepare(wanted)
  } catch (error) {
    throw withHint(fromNode(error), 'Give {index} a directory in which you can make files.')
  }
  return new Directory(wanted, onEvent, () => undefined)
}

const NO_HOME = 'this user has neither a home directory nor XDG_CACHE_HOME'

function defaultPath(): string | undefined {
  const cache = cacheDirectory()
  return cache === undefined ? undefined : resolve(join(cache, 'indexes'))
}

/** Full, or read-only although it is there. */
const UNWRITABLE = ['ENOSPC', 'EDQUOT', 'EROFS'] as const

function temporary(facts: Facts, onEvent: OnEvent): IndexDirectory {
  onEvent({
    type: 'warning',
    message: 'Indexes of layers cannot be kept, and are made again each time.',
    facts
  })
  return new TemporaryIndexes(onEvent)
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
  readonly instead: IndexDirectory['instead']
  private readonly path: string
  private readonly onEvent: OnEvent

  constructor(path: string, onEvent: OnEvent, instead: IndexDirectory['instead']) {
    this.path = path
    this.onEvent = onEvent
    this.instead = instead
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

  instead(): undefined {
    return undefined
  }

  create(blob: Digest): NewIndex {
    const { fd, discard } = createNewFileAt(this.pathOf(blob), leftoverTo(this.onEvent))
    return { fd, discard, publish: () => undefined }
  }
}
