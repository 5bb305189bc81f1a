/** The mark of a bundle that is not complete: a file in its state directory that holds the digest of the image manifest. */
import { STATE_DIRECTORY, UNFINISHED_FILE } from '../../bundle/files.ts'
import { toBuffer } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import { isErrno } from '../../sys/failure.ts'
import { openDirectory, writeNewFile } from '../../sys/files.ts'
import { readRegularFile } from '../../sys/read-file.ts'

export interface Mark {
  /** Of the image manifest; empty where the process died before it had written it. */
  digest: string
}

/** A descriptor of the state directory in a bundle; undefined where there is none. @throws BUNDLE_INVALID for a link */
export function openState(bundle: number, path: string): number | undefined {
  try {
    return openDirectory(bundle, STATE_DIRECTORY)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    if (isErrno(error, 'ENOTDIR', 'ELOOP')) throw notOurs(path, error)
    throw error
  }
}

export function writeMark(state: number, digest: string): void {
  writeNewFile(state, UNFINISHED_FILE, toBuffer(digest), 0o600)
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

function notOurs(path: string, cause: unknown): OciUnpackError {
  return new OciUnpackError('BUNDLE_INVALID', 'The state of the bundle is not a directory.', {
    facts: { path, found: STATE_DIRECTORY },
    hint: 'Nothing behind a link is read or removed. Look at what it is, and remove it yourself.',
    cause
  })
}
