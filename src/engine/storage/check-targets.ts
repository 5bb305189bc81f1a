/** Checks the directories that hooks name before anything is trusted or written. */
import { lstatSync, realpathSync, statSync } from 'node:fs'
import { OciUnpackError, type Facts } from '../../errors.ts'

/** A committed layer must at least be a directory. @throws HOOK_ANSWER_INVALID */
export function checkCommitted(path: string, facts: Facts): void {
  if (isDirectory(path)) return
  throw invalid(path, 'the layer that it reports as committed is not a directory there', facts)
}

/**
 * A staged directory must not overlap any other: writing to it would change the other, and abort removes it.
 * @param others directories of the layers that are already known, and others that must not be touched
 * @throws HOOK_ANSWER_INVALID
 */
export function checkApart(path: string, others: readonly string[], facts: Facts): void {
  const own = real(path)
  const clash = others.find((other) => isWithin(own, real(other)) || isWithin(real(other), own))
  if (clash !== undefined) throw invalid(path, `the target and ${clash} overlap`, facts)
}

/** The target that a layer is written to must exist. @throws HOOK_ANSWER_INVALID */
export function checkStaged(path: string, facts: Facts): void {
  if (!isDirectory(path)) throw invalid(path, 'the target is not a directory', facts)
}

/** After finish there must be a root file system, not a link to one. @throws HOOK_ANSWER_INVALID */
export function checkShown(rootfs: string, facts: Facts): void {
  if (lstatSync(rootfs, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    throw invalid(rootfs, 'finish made a symbolic link there, not a directory', facts)
  if (!isDirectory(rootfs))
    throw invalid(rootfs, 'finish did not make a root file system there', facts)
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function real(path: string): string {
  return isDirectory(path) ? realpathSync(path) : path
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}

function invalid(path: string, reason: string, facts: Facts): OciUnpackError {
  return new OciUnpackError('HOOK_ANSWER_INVALID', 'The answer of a hook cannot be used.', {
    facts: { ...facts, path, reason },
    hint: 'Check what the hook prints: {hooks.trace} records every call.'
  })
}
