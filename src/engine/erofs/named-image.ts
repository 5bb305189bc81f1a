/** Images by the paths that hooks have for them, which may be links: opening them, and naming them in errors. */
import { lstatSync, readlinkSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { display, fromText } from '../../bytes.ts'
import { OciUnpackError, withCause, type Facts } from '../../errors.ts'
import { fromNode, isErrno } from '../../sys/failure.ts'
import { handlePath, withoutHandles } from '../../sys/handle-path.ts'
import { openRegularFile, type RegularFile } from '../../sys/open-regular.ts'

/** The same layer gives the same bytes, so bundles that need the file can use it again. */
export const MAKE_AGAIN =
  'Remove this file, and unpack the image again with the same hooks, which makes it anew.'
const REORDER =
  'Name the layers bottom first. If the file was exchanged, remove it, and unpack the image again with the same hooks, which makes it anew.'

/** A descriptor. @throws EROFS_INVALID if it is missing or not a regular file; errors of node:fs */
export function openNamed(path: string): number {
  const file = openIfThere(path)
  if (file !== undefined) return file.fd
  throw refused(path, 'it is not a regular file', {}, MAKE_AGAIN)
}

function openIfThere(path: string): RegularFile | undefined {
  try {
    return openRegularFile(path, 'followed')
  } catch (failure) {
    const error = fromNode(failure)
    if (isErrno(error, 'ENOENT')) throw withCause(missing(path), error)
    throw error
  }
}

function missing(path: string): OciUnpackError {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
  const file = isLink ? resolve(dirname(path), readlinkSync(path)) : path
  const hint = 'Unpack the image again with the same hooks, which makes the file anew.'
  return refused(file, 'it is missing', {}, hint)
}

/** Where an open file is. */
export function nameOf(file: number): string {
  return display(fromText(withoutHandles(handlePath(file))))
}

/** @param expected and what was found: UUIDs in hex */
export function another(file: number, expected: string, found: string): OciUnpackError {
  const facts = { expected: `UUID ${expected}`, found: `UUID ${found}` }
  return refused(nameOf(file), 'it is the image of something else', facts, REORDER)
}

/** What `makeErofs` joins has digests where that of a storage has UUIDs. */
export function byDigests(merged: number, digest: string): OciUnpackError {
  const facts = { expected: 'UUIDs of layers', found: `sha256:${digest}` }
  const reason = 'it names its layers by their digests'
  const hint = 'Mount the directory that it is in, without {layers}.'
  return refused(nameOf(merged), reason, facts, hint)
}

export function invalid(file: number, reason: string, facts: Facts): OciUnpackError {
  return refused(nameOf(file), reason, facts, MAKE_AGAIN)
}

function refused(file: string, reason: string, facts: Facts, hint: string): OciUnpackError {
  return new OciUnpackError('EROFS_INVALID', 'An EROFS image is not the one that was made.', {
    facts: { file, reason, ...facts },
    hint
  })
}
