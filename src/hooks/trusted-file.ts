/** A hooks.toml says which programs run as the caller: it counts only if nobody else could have written it. */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  statSync
} from 'node:fs'
import { dirname } from 'node:path'
import { OciUnpackError } from '../errors.ts'
import { hooksInvalid } from './invalid.ts'

export interface TrustedFile {
  /** Absolute, links resolved: commands are relative to where the file really is. */
  readonly path: string
  readonly text: string
}

const LIMIT_BYTES = 64 * 1024
const GROUP_OR_OTHERS_WRITE = 0o022
const OTHERS_WRITE = 0o002
const STICKY = 0o1000

/**
 * The file, links of the operator followed; undefined where there is none. It is opened once, and what was opened is
 * what is judged and read.
 *
 * @throws HOOKS_UNSAFE where somebody other than root and the caller owns it or may write it; HOOKS_INVALID
 */
export function readTrustedFile(path: string): TrustedFile | undefined {
  const fd = open(path)
  if (fd === undefined) return undefined
  try {
    const real = readlinkSync(`/proc/self/fd/${fd}`)
    requireTrusted(fd, real)
    return { path: real, text: decode(readFileSync(fd), real) }
  } finally {
    closeSync(fd)
  }
}

/** A FIFO does not block. */
function open(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw hooksInvalid(path, `it cannot be read: ${message}`, { cause })
  }
}

function requireTrusted(fd: number, path: string): void {
  const file = fstatSync(fd)
  if (!file.isFile()) throw hooksInvalid(path, 'it is no regular file')
  if (file.size > LIMIT_BYTES) throw hooksInvalid(path, `it is longer than ${LIMIT_BYTES} bytes`)
  const caller = process.geteuid!()
  if (file.uid !== 0 && file.uid !== caller)
    throw unsafe(
      path,
      `it belongs to uid ${file.uid}, neither root nor the caller (${caller})`,
      'chown'
    )
  if ((file.mode & GROUP_OR_OTHERS_WRITE) !== 0)
    throw unsafe(path, 'its group or others may write to it', 'chmod go-w')
  const { mode } = statSync(dirname(path))
  if ((mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0)
    throw unsafe(dirname(path), 'others may write to its directory', 'chmod o-w')
}

function unsafe(file: string, reason: string, remedy: string): OciUnpackError {
  return new OciUnpackError('HOOKS_UNSAFE', "The hooks file could be somebody else's.", {
    facts: { file, reason },
    hint: `Look at what it says, then use ${remedy}; or do without hooks (--no-hooks).`
  })
}

function decode(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw hooksInvalid(path, 'it is not UTF-8', { cause })
  }
}
