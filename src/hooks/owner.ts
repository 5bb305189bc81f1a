/**
 * An owner stands for a running operation. It is a file that the engine locks and that every program it starts for a
 * hook inherits open, so the lock lasts until the last of them has ended: a hook may outlive a killed engine. The file
 * lists what the owner claims, for processes that come after an engine that could not release its claims.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeSync
} from 'node:fs'
import { basename, join } from 'node:path'
import { tryLock } from '../sys/lock.ts'
import { readRest } from '../sys/read.ts'
import { ownerDirectory } from './lock-directory.ts'

/** The owner of everything that the hooks of a set make. Its name is recorded with what they make. */
export function ownerName({ owner }: { readonly owner: Owner }): string {
  return basename(owner.path)
}

/** Whether the engine of that name, or a process that it started for its hooks, is still running. */
export function isOwnerAlive(name: string): boolean {
  return isOwnerName(name) && isLocked(join(ownerDirectory(), name))
}

/**
 * The processes that keep an owner alive, as far as they are visible. Looks at all processes, so it is for error
 * messages.
 */
export function ownerProcesses(name: string): number[] {
  const path = join(ownerDirectory(), name)
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && opens(entry, path))
    .map(Number)
}

/** The owner of one set of hooks. Its file is created when it is first needed. */
export class Owner {
  private file: { readonly path: string; readonly fd: number } | undefined

  /** The absolute path of its file. */
  get path(): string {
    return this.open().path
  }

  /** The open, locked file, to be inherited. */
  get fd(): number {
    return this.open().fd
  }

  /** Records that something is in use here until `disclaim`. */
  claim(what: string): void {
    writeSync(this.fd, claimLine('+', what))
  }

  disclaim(what: string): void {
    writeSync(this.fd, claimLine('-', what))
  }

  /** The name of another living owner that claims it. */
  rival(what: string): string | undefined {
    const found = ownerFiles().find(
      (path) => path !== this.file?.path && claims(path).has(what) && isLocked(path)
    )
    return found === undefined ? undefined : basename(found)
  }

  /** Processes that hooks have left running keep the file locked. */
  close(): void {
    if (this.file === undefined) return
    const { path, fd } = this.file
    this.file = undefined
    closeSync(fd)
    removeIfDead(path)
  }

  private open(): { readonly path: string; readonly fd: number } {
    return (this.file ??= newOwnerFile())
  }
}

/** Also removes the files of dead owners. */
function newOwnerFile(): { path: string; fd: number } {
  ownerFiles().forEach(removeIfDead)
  for (;;) {
    const path = join(ownerDirectory(), `${PREFIX}${randomBytes(8).toString('hex')}`)
    const fd = openSync(path, CREATE, 0o600)
    // another process may have removed it as the file of a dead owner
    if (tryLock(fd, 'exclusive') && fstatSync(fd).nlink > 0) return { path, fd }
    closeSync(fd)
  }
}

const PREFIX = 'owner-'
const CREATE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND

function isOwnerName(name: string): boolean {
  return /^owner-[0-9a-f]+$/.test(name)
}

function ownerFiles(): string[] {
  const directory = ownerDirectory()
  return readdirSync(directory)
    .filter(isOwnerName)
    .map((name) => join(directory, name))
}

function isLocked(path: string): boolean {
  return withFile(path, false, (fd) => !tryLock(fd, 'shared'))
}

function removeIfDead(path: string): void {
  withFile(path, undefined, (fd) => {
    if (tryLock(fd, 'shared')) rmSync(path, { force: true })
  })
}

/** One line for each change, so that a kill loses none. */
function claimLine(sign: '+' | '-', what: string): string {
  return `${sign}${JSON.stringify(what)}\n`
}

function claims(path: string): ReadonlySet<string> {
  const held = new Set<string>()
  const lines = withFile(path, '', (fd) => readRest(fd).toString()).split('\n')
  for (const line of lines.slice(0, -1)) {
    const what = JSON.parse(line.slice(1)) as string
    if (line.startsWith('+')) held.add(what)
    else held.delete(what)
  }
  return held
}

function withFile<T>(path: string, absent: T, act: (fd: number) => T): T {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return absent
    throw error
  }
  try {
    return act(fd)
  } finally {
    closeSync(fd)
  }
}

/** A process that has ended meanwhile, or belongs to another user, shows no open files. */
function opens(pid: string, path: string): boolean {
  const directory = `/proc/${pid}/fd`
  try {
    return readdirSync(directory).some((fd) => readlinkSync(join(directory, fd)) === path)
  } catch {
    return false
  }
}
