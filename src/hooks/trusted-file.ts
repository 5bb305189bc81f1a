/**
 * A hooks.toml says which programs run as the caller. It and they are used only if no other user could have written
 * them. Every step of the path from the root is checked, including links, because a user who can rename any of them
 * decides what is at the end.
 */
import { closeSync, fstatSync, lstatSync, readlinkSync, type Stats } from 'node:fs'
import { resolve } from 'node:path'
import { OciUnpackError } from '../errors.ts'
import { openWithoutBlocking } from '../sys/open-regular.ts'
import { readRest } from '../sys/read.ts'
import { isUnknownOwner } from '../sys/user-namespace.ts'
import { hooksInvalid } from './invalid.ts'

export interface TrustedFile {
  /** Absolute, with links resolved: commands are relative to the real place of the file. */
  readonly path: string
  readonly text: string
}

const LIMIT_BYTES = 64 * 1024
const GROUP_OR_OTHERS_WRITE = 0o022
const STICKY = 0o1000
/** The same number as in the kernel (path_resolution(7)). */
const MOST_LINKS = 40

/**
 * The file, or undefined if it does not exist. Links of the operator are followed. It is opened once, and that open
 * file is checked and read.
 * @throws HOOKS_UNSAFE if a user other than root and the caller could have written it; HOOKS_INVALID
 */
export function readTrustedFile(path: string): TrustedFile | undefined {
  const fd = open(path)
  if (fd === undefined) return undefined
  try {
    const real = readlinkSync(`/proc/self/fd/${fd}`)
    const file = fstatSync(fd)
    if (!file.isFile()) throw hooksInvalid(real, 'it is not a regular file')
    if (file.size > LIMIT_BYTES) throw hooksInvalid(real, `it is longer than ${LIMIT_BYTES} bytes`)
    assertTrusted(path, 'Another user could change the hooks file.')
    return { path: real, text: decode(readRest(fd), real) }
  } finally {
    closeSync(fd)
  }
}

/** @param path absolute. @param file the hooks.toml that names it. @throws HOOKS_UNSAFE */
export function assertTrustedProgram(path: string, file: string): void {
  assertTrusted(path, 'Another user could change a program of the hooks.', { file })
}

function open(path: string): number | undefined {
  try {
    return openWithoutBlocking(path, 'followed')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw hooksInvalid(path, `it cannot be read: ${message}`, { cause })
  }
}

function assertTrusted(path: string, message: string, facts: { file?: string } = {}): void {
  const flaw = findFlaw(path)
  if (flaw === undefined) return
  throw new OciUnpackError('HOOKS_UNSAFE', message, {
    facts: { ...facts, path: flaw.path, reason: flaw.reason },
    hint: `Check what is there, then ${flaw.remedy}, or use no hooks ({hooks: undefined}).`
  })
}

interface Flaw {
  path: string
  reason: string
  remedy: string
}

/** The first step of the path that a user other than root and the caller could change. */
function findFlaw(path: string): Flaw | undefined {
  let at = '/'
  let rest = path.split('/').filter((name) => name !== '')
  let flaw = flawOf(at, lstatSync(at))
  for (let links = 0; flaw === undefined && rest.length > 0;) {
    const [name = '', ...further] = rest
    const next = resolve(at, name)
    const found = lstatSync(next)
    flaw = flawOf(next, found)
    if (found.isSymbolicLink() && ++links <= MOST_LINKS) {
      const link = readlinkSync(next)
      if (link.startsWith('/')) at = '/'
      rest = [...link.split('/').filter((step) => step !== ''), ...further]
    } else {
      at = next
      rest = further
    }
  }
  return flaw
}

/** In a sticky directory only the owner of an entry can replace it, and every entry is checked. */
function flawOf(path: string, found: Stats): Flaw | undefined {
  const caller = process.geteuid!()
  if (found.uid !== 0 && found.uid !== caller && !isOfHostRoot(path, found)) {
    if (isUnknownOwner(found.uid)) return { path, ...OUTSIDE }
    const reason = `it belongs to uid ${found.uid}, not to root or the caller (${caller})`
    return { path, reason, remedy: `run chown root ${path}` }
  }
  const isWritable = !found.isSymbolicLink() && (found.mode & GROUP_OR_OTHERS_WRITE) !== 0
  if (!isWritable || (found.isDirectory() && (found.mode & STICKY) !== 0)) return undefined
  return {
    path,
    reason: 'its group or other users can write to it',
    remedy: `run chmod go-w ${path}`
  }
}

const OUTSIDE = {
  reason: 'its owner has no id in this user namespace',
  remedy: 'make a copy of the set that is yours'
}

/** The root directory, and where distributions install programs and their settings, and users do not. */
const SYSTEM = /^\/(?:[^/]*$|(?:bin|etc|gnu|lib|lib64|nix|opt|sbin|usr)\/)/

/**
 * A user namespace does not show whether something belongs to the root outside or to another user. Directories on the way
 * are taken for root's. So are files and links, but only where the system is: elsewhere they must be the caller's.
 */
function isOfHostRoot(path: string, found: Stats): boolean {
  return isUnknownOwner(found.uid) && (found.isDirectory() || SYSTEM.test(path))
}

function decode(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw hooksInvalid(path, 'it is not UTF-8', { cause })
  }
}
