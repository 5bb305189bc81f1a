/**
 * The only recursive removal in the program. It works by handles alone, follows no links, and never leaves the file
 * system and mount that it began in, because mounts and volumes below it belong to others. A directory of ours whose
 * mode keeps us out is opened up first: it will be gone, so its mode need not be restored.
 */
import { display, type ByteString } from '../bytes.ts'
import { withFacts } from '../errors.ts'
import { listDirectoryTypes } from './directory.ts'
import { isErrno, SyscallError } from './failure.ts'
import { close, openDirectory, openPlace } from './files.ts'
import { keepsUsOut, TO_CHANGE } from './kept-out.ts'
import { setModeOf, setModeOfPlace } from './metadata.ts'
import { removeEmptyDirectory, removeFile, removeFileIfThere } from './names.ts'
import { inodeKey, status, type Status } from './status.ts'

/**
 * Removes `name` in `directory` and everything below it. A missing name is not an error.
 * @throws SyscallError, EBUSY for a mount there or below, EXDEV for a separate volume
 */
export function removeTree(directory: number, name: ByteString): void {
  if (removedAsFile(directory, name)) return
  const parent = status(directory, '')
  const fd = openToEmpty(directory, name, parent)
  try {
    assertSameMount(status(fd, ''), parent, name)
    emptyDirectory(fd)
  } finally {
    close(fd)
  }
  removeEmptyDirectory(directory, name)
}

/** Removes everything in a directory. @param last a file in it that goes last @throws what `removeTree` throws */
export function emptyDirectory(top: number, last?: ByteString): void {
  const removal = new Removal(top, last)
  try {
    removal.run()
  } finally {
    removal.release()
  }
  if (last !== undefined) removeFileIfThere(top, last)
}

function removedAsFile(directory: number, name: ByteString): boolean {
  try {
    removeFile(directory, name)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true
    if (isErrno(error, 'EISDIR', 'EPERM')) return false
    throw error
  }
}

interface Level {
  name: ByteString
  status: Status
  /** Subdirectories that still have to be removed. */
  pending: ByteString[]
}

/**
 * Holds one handle at a time, however deep the tree is. The way back up is `..`, which must lead where we came from.
 */
class Removal {
  private readonly top: number
  private readonly last: ByteString | undefined
  private readonly levels: Level[] = []
  private fd: number

  constructor(top: number, last: ByteString | undefined) {
    this.top = top
    this.last = last
    this.fd = top
  }

  release(): void {
    if (this.fd !== this.top) close(this.fd)
    this.fd = this.top
  }

  run(): void {
    try {
      this.enter('', status(this.top, ''))
      for (let level = this.levels.at(-1); level !== undefined; level = this.levels.at(-1)) {
        const next = level.pending.pop()
        if (next === undefined) this.leave(level)
        else this.descend(next, level.status)
      }
    } catch (error) {
      throw withFacts(error, { entry: display(this.path()) })
    }
  }

  /** The directory that it is in, relative to the top. */
  private path(): ByteString {
    return (
      this.levels
        .map(({ name }) => name)
        .slice(1)
        .join('/') || '.'
    )
  }

  /** Removes everything but directories, and remembers those. */
  private enter(name: ByteString, found: Status): void {
    const level: Level = { name, status: found, pending: [] }
    this.levels.push(level)
    if (keepsUsOut(found, TO_CHANGE)) setModeOf(this.fd, found.mode | TO_CHANGE)
    for (const entry of listDirectoryTypes(this.fd))
      if (entry.isDirectory()) level.pending.push(entry.name)
      else if (this.levels.length > 1 || entry.name !== this.last) removeFile(this.fd, entry.name)
  }

  private descend(name: ByteString, parent: Status): void {
    this.move(openToEmpty(this.fd, name, parent))
    const found = status(this.fd, '')
    assertSameMount(found, parent, name)
    this.enter(name, found)
  }

  private leave({ name }: Level): void {
    this.levels.pop()
    const parent = this.levels.at(-1)
    if (parent === undefined) return
    this.move(openDirectory(this.fd, '..'))
    assertSame(status(this.fd, ''), parent.status, name)
    removeEmptyDirectory(this.fd, name)
  }

  private move(fd: number): void {
    this.release()
    this.fd = fd
  }
}

function openToEmpty(directory: number, name: ByteString, parent: Status): number {
  try {
    return openDirectory(directory, name)
  } catch (error) {
    if (!isErrno(error, 'EACCES') || !openedUp(directory, name, parent)) throw error
    return openDirectory(directory, name)
  }
}

/** Whether the directory may be opened now. A mount of the user's own keeps its mode. */
function openedUp(directory: number, name: ByteString, parent: Status): boolean {
  const place = openPlace(directory, name)
  try {
    const found = status(place, '')
    assertSameMount(found, parent, name)
    if (found.type !== 'directory' || !keepsUsOut(found, TO_CHANGE)) return false
    setModeOfPlace(place, found.mode | TO_CHANGE)
    return true
  } finally {
    close(place)
  }
}

function assertSameMount(found: Status, parent: Status, name: ByteString): void {
  if (found.isMountRoot) throw new SyscallError('EBUSY', `unlinkat("${name}")`, name)
  if (found.device !== parent.device) throw new SyscallError('EXDEV', `unlinkat("${name}")`, name)
}

/** Fails if another process has moved the directory that we were in. */
function assertSame(found: Status, expected: Status, name: ByteString): void {
  if (inodeKey(found) !== inodeKey(expected))
    throw new SyscallError('ESTALE', `openat("${name}/..")`, name)
}
