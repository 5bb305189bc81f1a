/** Directories at paths of the operator, created if they are missing. */
import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { display, fromText, type ByteString } from '../bytes.ts'
import { withPath } from '../errors.ts'
import { openDestination } from './destination.ts'
import { isErrno, SyscallError } from './failure.ts'
import { close, openDirectory, openOperatorDirectory } from './files.ts'
import { isDirectory } from './is-directory.ts'
import { makeDirectory, removeEmptyDirectory } from './names.ts'

/** A directory that was opened once by its path. From then on only its handle counts. */
export interface OperatorDirectory {
  readonly fd: number
  /** Whether it was created by this call. */
  readonly isNew: boolean
  /** Removes the created directories, deepest first, up to the first that is not empty. */
  removeNew(): void
  close(): void
}

/**
 * Opens the directory at an absolute path that the operator gave, following links in it, and creates missing
 * directories with the umask applied. (Node's recursive mkdir never ends in places such as /proc, where an existing
 * directory cannot contain another.)
 * @throws SYSCALL_FAILED with the whole path, with nothing new left behind
 */
export function openOrMakeDirectory(path: string, mode = 0o777): OperatorDirectory {
  const missing = missingOf(path)
  const top = topOf(path, missing)
  const opened = new OpenedDirectories(
    missing.length === 0 ? openDestination(top) : openOperatorDirectory(fromText(top))
  )
  try {
    for (const name of missing) opened.enter(fromText(name), mode)
    return opened
  } catch (error) {
    opened.removeNew()
    opened.close()
    throw withPath(isErrno(error, 'ENOTDIR') && !existsSync(path) ? isBelowFile(path) : error, path)
  }
}

/** The call that failed was about a name on the way. */
function isBelowFile(path: string): SyscallError {
  return new SyscallError('ENOTDIR', `mkdir("${display(fromText(path))}")`, path)
}

class OpenedDirectories implements OperatorDirectory {
  fd: number
  private readonly above: { fd: number; name: ByteString; isNew: boolean }[] = []

  constructor(top: number) {
    this.fd = top
  }

  get isNew(): boolean {
    return this.above.at(-1)?.isNew === true
  }

  enter(name: ByteString, mode: number): void {
    const isNew = makeIfMissing(this.fd, name, mode)
    try {
      const fd = openDirectory(this.fd, name)
      this.above.push({ fd: this.fd, name, isNew })
      this.fd = fd
    } catch (error) {
      if (isNew) removedIfEmpty(this.fd, name)
      throw error
    }
  }

  removeNew(): void {
    for (const { fd, name, isNew } of this.above.toReversed())
      if (!isNew || !removedIfEmpty(fd, name)) return
  }

  close(): void {
    for (const { fd } of this.above) close(fd)
    close(this.fd)
  }
}

/** Names of missing directories, from the top down. */
function missingOf(path: string): string[] {
  const missing: string[] = []
  for (let at = path; !isDirectory(at) && dirname(at) !== at; at = dirname(at))
    missing.unshift(basename(at))
  return missing
}

function topOf(path: string, missing: readonly string[]): string {
  return missing.reduce((at) => dirname(at), path)
}

/** Returns whether we created it, since another process may be faster. */
function makeIfMissing(directory: number, name: ByteString, mode: number): boolean {
  try {
    makeDirectory(directory, name, mode)
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  }
}

function removedIfEmpty(directory: number, name: ByteString): boolean {
  try {
    removeEmptyDirectory(directory, name)
    return true
  } catch {
    return false // meanwhile, another process has put something there or removed it
  }
}
