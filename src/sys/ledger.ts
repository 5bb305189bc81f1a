/**
 * A ledger of modes. Where modes keep the owner of a tree out of it, an operation on the tree changes them for as long
 * as it needs to (`lender.ts`), and a ledger says what they were. It is a file: all threads of a process share its
 * descriptor, and one in a workspace outlives the process. A mode is noted, in one write(2), before it is changed.
 * `put-modes-back.ts` puts it back.
 */
import { writeSync } from 'node:fs'
import { toBuffer, type ByteString } from '../bytes.ts'
import { isCleaned } from './beneath.ts'
import { failed } from './failed-call.ts'
import { fromNode, isErrno, SyscallError } from './failure.ts'
import { flush } from './durable.ts'
import { close, createLog, openLog, openPlace, truncate } from './files.ts'
import { libcCalls as libc } from './libc.ts'
import { firstPath } from './memory.ts'
import { mountIdOf } from './mounts.ts'
import { readFully } from './read.ts'
import { status, statusIfThere } from './status.ts'

/** Plain data, so that threads can be given one. */
export interface Ledger {
  /** Descriptor of the file. */
  readonly file: number
  /** Descriptor of the directory that noted paths are relative to. */
  readonly base: number
  /** Path, in that directory, of the tree: nothing above it is lent. */
  readonly tree: ByteString
  /** Path, in that directory, of the root that the user of this ledger names paths from. */
  readonly at: ByteString
  /** Identity of the mount and the file system that the tree is on: nothing else is lent. */
  readonly mount: string
}

/** A mode that was changed. */
export interface LentMode {
  path: ByteString
  inode: string
  mode: number
  /** What it was changed to. */
  lent: number
  /** Inode number of the directory that the path is relative to. In a copy of it, all inodes are others. */
  base?: string
}

type Line =
  | { lent: LentMode }
  /** From here on, the modes noted before for these paths are the operation's to set, and it has set them if it succeeds. */
  | { replaced: readonly ByteString[] }

/** The name of a ledger in a workspace. */
const NAME = 'modes'

/**
 * A ledger in memory, for what no later process needs: a tree that a crash leaves to be removed as a whole.
 * @param tree path in `base` of the tree
 */
export function ledgerInMemory(base: number, tree: ByteString): Ledger {
  const file = libc.memfd_create(firstPath.string(NAME), MFD_CLOEXEC)
  if (file < 0) throw failed('memfd_create', undefined, NAME)
  if (libc.fcntl(file, F_SETFL, O_APPEND) < 0) throw failed('fcntl', undefined, file, 'O_APPEND')
  return openLedger(file, base, tree)
}

const MFD_CLOEXEC = 1
const F_SETFL = 4
const O_APPEND = 0o2000

/** A new ledger in a workspace in `base`. */
export function createLedger(workspace: number, base: number, tree: ByteString): Ledger {
  return openLedger(createLog(workspace, NAME), base, tree)
}

/** The ledger of an abandoned workspace; undefined if there is none, or if another user could have written it. */
export function findLedger(workspace: number, base: number): Ledger | undefined {
  const file = openIfThere(workspace)
  if (file === undefined) return undefined
  const { uid, mode } = status(file, '')
  if (uid === process.geteuid!() && (mode & 0o022) === 0)
    return { file, base, tree: '', at: '', mount: '' }
  close(file)
  return undefined
}

/** Whether a workspace has a ledger in which anything is noted. */
export function holdsLedger(workspace: number): boolean {
  const found = statusIfThere(workspace, NAME)
  return found?.type === 'file' && found.size > 0
}

function openIfThere(workspace: number): number | undefined {
  try {
    return openLog(workspace, NAME)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

function openLedger(file: number, base: number, tree: ByteString): Ledger {
  try {
    return { file, base, tree, at: tree, mount: mountOf(base, tree) }
  } catch (error) {
    close(file)
    throw error
  }
}

/** Of a tree that does not exist, nothing will be lent. */
function mountOf(base: number, tree: ByteString): string {
  if (tree === '') return mountKey(base)
  try {
    const place = openPlace(base, tree)
    try {
      return mountKey(place)
    } finally {
      close(place)
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw error
  }
}

/** Equal for objects of one file system that are reached through one mount. */
export function mountKey(fd: number): string {
  return `${mountIdOf(fd)}:${status(fd, '').device}`
}

/** The modes must not be changed before this returns. */
export function noteLent(ledger: Ledger, ...modes: readonly LentMode[]): void {
  const base = String(status(ledger.base, '').inode)
  write(ledger, ...modes.map((lent) => ({ lent: { ...lent, base } })))
}

/** Announces that the operation, if it succeeds, has given these paths new modes. */
export function noteReplaced(ledger: Ledger, paths: readonly ByteString[]): void {
  if (paths.length > 0) write(ledger, { replaced: paths })
}

/** The tree is again what it was before `noteReplaced`. Needs no space on the disk. */
export function forgetReplaced(ledger: Ledger): void {
  const at = text(ledger).indexOf(REPLACED)
  if (at >= 0) truncate(ledger.file, at)
}

const REPLACED = '\n{"replaced"'

/**
 * Byte strings contain no character above 255, so latin1 preserves them. The newline before a line ends one that could
 * not be written whole.
 */
function write(ledger: Ledger, ...lines: readonly Line[]): void {
  const bytes = toBuffer(lines.map((line) => `\n${JSON.stringify(line)}\n`).join(''))
  let written: number
  try {
    written = writeSync(ledger.file, bytes)
  } catch (error) {
    throw fromNode(error)
  }
  if (written < bytes.length) throw new SyscallError('ENOSPC', `write(${ledger.file})`, undefined)
  flush(ledger.file)
}

/** All that is to be put back, in the order in which it was noted. */
export function outstanding(ledger: Ledger): LentMode[] {
  let noted: LentMode[] = []
  for (const line of lines(ledger))
    if ('lent' in line) {
      if (isInside(line.lent.path)) noted.push(line.lent)
    } else {
      const replaced = new Set(line.replaced)
      noted = noted.filter(({ path }) => !replaced.has(path))
    }
  return noted
}

/** Nobody but us writes a ledger; but if somebody did, nothing outside would be touched. */
function isInside(path: ByteString): boolean {
  return path === '' || isCleaned(path)
}

/** What a line that is not whole would say was not done. */
function lines(ledger: Ledger): Line[] {
  return text(ledger)
    .split('\n')
    .flatMap((line): Line[] => {
      try {
        return [JSON.parse(line) as Line]
      } catch {
        return []
      }
    })
}

function text({ file }: Ledger): ByteString {
  const { size } = status(file, '')
  const bytes = Buffer.alloc(size)
  return bytes.toString('latin1', 0, readFully(file, bytes, size, 0))
}
