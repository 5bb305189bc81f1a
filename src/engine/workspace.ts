/**
 * The private directory that an operation works in, on the file system of what it makes, and how the result
 * comes out of it: whole or not at all. A failure removes the workspace and nothing else.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, realpathSync, rmdirSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fromText, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { removeTree } from '../sys/remove-tree.ts'
import { isErrno } from '../sys/failure.ts'
import { close, openDirectory, openOperatorDirectory } from '../sys/files.ts'
import { listXattrs, removeXattr, setModeOf, setTimesOf } from '../sys/metadata.ts'
import { makeDirectory, renameNew } from '../sys/names.ts'
import { status } from '../sys/status.ts'

export interface Workspace {
  /** Absolute path and open handle of the directory. */
  readonly path: string
  readonly fd: number
  /** Where the result goes: absolute. */
  readonly destination: string
  /** The destination, if it was there before: it is added to, never replaced. */
  readonly existing: ExistingDestination | undefined
  /**
   * Everything is ready: the workspace itself becomes the destination, or, where that exists, `names` move into
   * it one by one, so the name that makes it complete should be the last.
   */
  publish(names: readonly ByteString[]): void
  /** The directory `name` in the workspace becomes the destination, which does not exist. */
  publishOnly(name: ByteString): void
}

export interface ExistingDestination {
  readonly fd: number
  /** The workspace's name in it. */
  readonly workspaceName: ByteString
}

/** Only the owner may enter. */
const PRIVATE_MODE = 0o700

/** Runs `act` in a new workspace for `destination`; whatever happens, the workspace is gone afterwards. */
export async function withWorkspace<T>(
  destination: string,
  act: (workspace: Workspace) => Promise<T>
): Promise<T> {
  const workspace = new DirectoryWorkspace(resolve(destination))
  try {
    return await act(workspace)
  } finally {
    workspace.remove()
  }
}

class DirectoryWorkspace implements Workspace {
  readonly path: string
  readonly fd: number
  readonly destination: string
  readonly existing: ExistingDestination | undefined
  private readonly parentFd: number
  private readonly name: ByteString
  private readonly madeParents: string[]
  private published = false

  constructor(destination: string) {
    const isThere = isDirectory(destination)
    this.destination = isThere ? realpathSync(destination) : destination
    const parent = isThere ? this.destination : dirname(destination)
    this.madeParents = makeParents(parent)
    const name = isThere ? uniqueName('') : uniqueName(basename(destination))
    this.name = fromText(name)
    this.path = join(parent, name)
    this.parentFd = openOperatorDirectory(fromText(parent))
    this.existing = isThere ? { fd: this.parentFd, workspaceName: this.name } : undefined
    this.inDestination(() => makeDirectory(this.parentFd, this.name, PRIVATE_MODE))
    this.fd = openDirectory(this.parentFd, this.name)
    shedInheritance(this.fd)
  }

  private inDestination(act: () => void): void {
    if (this.existing === undefined) act()
    else keepTimes(this.parentFd, act)
  }

  publish(names: readonly ByteString[]): void {
    if (this.existing === undefined) this.rename(this.parentFd, this.name)
    else this.publishInto(names)
    this.published = true
  }

  publishOnly(name: ByteString): void {
    this.rename(this.fd, name)
    removeTree(this.parentFd, this.name)
    this.published = true
  }

  private rename(directory: number, name: ByteString): void {
    try {
      renameNew(directory, name, this.parentFd, fromText(basename(this.destination)))
    } catch (error) {
      throw taken(error, this.destination)
    }
  }

  /**
   * Closed to others before anything is in it, as umoci does: set-user-ID programs and devices of a stranger's image
   * are out of other users' reach.
   */
  private publishInto(names: readonly ByteString[]): void {
    const { mode } = status(this.parentFd, '')
    setModeOf(this.parentFd, PRIVATE_MODE)
    const done: ByteString[] = []
    try {
      for (const name of names) {
        renameNew(this.fd, name, this.parentFd, name)
        done.push(name)
      }
    } catch (error) {
      for (const name of done) removeTree(this.parentFd, name)
      setModeOf(this.parentFd, mode)
      throw taken(error, this.destination)
    }
  }

  remove(): void {
    close(this.fd)
    if (this.existing !== undefined || !this.published)
      this.inDestination(() => removeTree(this.parentFd, this.name))
    close(this.parentFd)
    if (!this.published) for (const path of this.madeParents) removeIfEmpty(path)
  }
}

/** Runs with the times of a directory put back: a workspace that comes and goes in it is nobody's change. */
export function keepTimes(fd: number, act: () => void): void {
  const { atimeSec, atimeNsec, mtimeSec, mtimeNsec } = status(fd, '')
  act()
  try {
    setTimesOf(fd, { sec: atimeSec, nsec: atimeNsec }, { sec: mtimeSec, nsec: mtimeNsec })
  } catch (error) {
    // who may write to another's directory may still not set its times
    if (!isErrno(error, 'EPERM')) throw error
  }
}

/** A set-group-ID bit or a default ACL of the place would change the owner and mode of all that is made below. */
export function shedInheritance(fd: number): void {
  for (const name of listXattrs(fd, ''))
    if (name === 'system.posix_acl_default' || name === 'system.posix_acl_access')
      removeXattr(fd, '', name)
  setModeOf(fd, PRIVATE_MODE)
}

/** Hidden, and never the same for two processes. */
export function uniqueName(base: string): string {
  return `.${base === '' ? '' : `${base}.`}oci-unpack-${randomBytes(6).toString('hex')}`
}

function isDirectory(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return false
  if (found.isDirectory()) return true
  throw new OciUnpackError('BUNDLE_EXISTS', 'The destination exists and is not a directory.', {
    facts: { path },
    hint: 'Choose another place, or remove what is there.'
  })
}

/** Makes what is missing of a path; gives the new directories, deepest first. */
export function makeParents(path: string): string[] {
  const first = mkdirSync(path, { recursive: true })
  if (first === undefined) return []
  const made: string[] = []
  for (let current = path; ; current = dirname(current)) {
    made.push(current)
    if (current === first) return made
  }
}

/** A directory in which somebody else has put something stays. */
export function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // somebody else has put something there meanwhile: it stays
  }
}

function taken(error: unknown, destination: string): unknown {
  if (!isErrno(error, 'EEXIST')) return error
  return new OciUnpackError('BUNDLE_EXISTS', 'Something appeared in the destination meanwhile.', {
    facts: { path: destination },
    cause: error
  })
}
