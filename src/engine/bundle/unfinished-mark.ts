/** The mark of an incomplete bundle: a file in its state directory that contains the digest of the image manifest. */
import { STATE_DIRECTORY, UNFINISHED_FILE } from '../../bundle/files.ts'
import { toBuffer } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import { isErrno } from '../../sys/failure.ts'
import { close, openDirectory, writeNewFile } from '../../sys/files.ts'
import { readRegularFile } from '../../sys/read-file.ts'
import { status, type Status } from '../../sys/status.ts'
import { isOwn } from '../../workspace/claim.ts'

export interface Mark {
  /** Digest of the image manifest; empty if the process died before it wrote it. */
  digest: string
}

/**
 * A descriptor of the state directory in a bundle; undefined if there is none. @throws BUNDLE_INVALID if it is not ours
 */
export function openState(bundle: number, path: string): number | undefined {
  try {
    const fd = openDirectory(bundle, STATE_DIRECTORY)
    if (isTrusted(status(fd, ''))) return fd
    close(fd)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    if (isErrno(error, 'ENOTDIR', 'ELOOP')) throw notOurs(path, 'it is not a directory', error)
    throw error
  }
  throw notOurs(path, 'another user could have written it')
}

/** Hooks trust its content. */
function isTrusted(found: Status): boolean {
  return isOwn(found) && (found.mode & GROUP_OR_OTHERS_WRITE) === 0
}

const GROUP_OR_OTHERS_WRITE = 0o022

export function writeMark(state: number, digest: string): void {
  writeNewFile(state, UNFINISHED_FILE, toBuffer(digest), 0o600)
}

/** Whether a bundle bears the mark. @throws BUNDLE_INVALID if another user owns its state */
export function isMarked(bundle: number, path: string): boolean {
  const state = openState(bundle, path)
  if (state === undefined) return false
  try {
    return readMark(state) !== undefined
  } finally {
    close(state)
  }
}

/** Undefined if there is none. An empty state directory was left by a process that died before it made the mark. */
export function readMark(state: number): Mark | undefined {
  try {
    const text = readRegularFile(state, UNFINISHED_FILE, 1024) ?? ''
    return { digest: /^[a-z0-9]+:[0-9a-f]+$/.test(text) ? text : '' }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

function notOurs(path: string, reason: string, cause?: unknown): OciUnpackError {
  return new OciUnpackError('BUNDLE_INVALID', 'The state of the bundle may be from another user.', {
    facts: { path: `${path}/${STATE_DIRECTORY}`, reason },
    hint: 'Nothing in it is read or removed. Check what it is, then remove it yourself, or as the user who made it.',
    cause
  })
}
