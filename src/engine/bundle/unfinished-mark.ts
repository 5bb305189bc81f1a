/** The mark of a bundle that is not complete: a file in its state directory that holds the digest of the image manifest. */
import { STATE_DIRECTORY, UNFINISHED_FILE } from '../../bundle/files.ts'
import { toBuffer } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import { isErrno } from '../../sys/failure.ts'
import { close, openDirectory, writeNewFile } from '../../sys/files.ts'
import { readRegularFile } from '../../sys/read-file.ts'
import { status, type Status } from '../../sys/status.ts'
import { isOwn } from '../../workspace/claim.ts'

export interface Mark {
  /** Of the image manifest; empty where the process died before it had written it. */
  digest: string
}

/** A descriptor of the state directory in a bundle; undefined where there is none. @throws BUNDLE_INVALID for another's */
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

/** Hooks believe what it says. */
function isTrusted(found: Status): boolean {
  return isOwn(found) && (found.mode & GROUP_OR_OTHERS_WRITE) === 0
}

const GROUP_OR_OTHERS_WRITE = 0o022

export function writeMark(state: number, digest: string): void {
  writeNewFile(state, UNFINISHED_FILE, toBuffer(digest), 0o600)
}

/** Whether a bundle bears the mark. @throws BUNDLE_INVALID where its state is another user's */
export function isMarked(bundle: number, path: string): boolean {
  const state = openState(bundle, path)
  if (state === undefined) return false
  try {
    return readMark(state) !== undefined
  } finally {
    close(state)
  }
}

/** Undefined where there is none; a state directory without anything else in it was left before it was marked. */
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
  return new OciUnpackError('BUNDLE_INVALID', 'The state of the bundle is not ours.', {
    facts: { path: `${path}/${STATE_DIRECTORY}`, reason },
    hint: 'Nothing of it is read or removed. Look at what it is, and remove it yourself, or as the user who made it.',
    cause
  })
}
