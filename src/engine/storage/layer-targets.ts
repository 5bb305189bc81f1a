/** The directories that hooks name, looked at before anything is believed or written. */
import { lstatSync, realpathSync, statSync } from 'node:fs'
import { OciUnpackError, withFacts } from '../../errors.ts'

/** A committed layer must at least be a directory. @throws HOOK_ANSWER_INVALID */
export function assertCommitted(path: string): void {
  if (isDirectory(path)) return
  throw invalid(path, 'the layer that it calls committed is not a directory there')
}

/**
 * A staged directory must be apart from all others: what is written to it would change them, and abort removes it.
 * @param others directories of the layers that are known already, and what else must not be touched
 * @throws HOOK_ANSWER_INVALID
 */
export function assertApart(path: string, others: readonly string[]): void {
  const own = real(path)
  const clash = others.find((other) => isWithin(own, real(other)) || isWithin(real(other), own))
  if (clash !== undefined) throw invalid(path, `the target and ${clash} are not apart`)
}

/** What a layer is to be written to must be there. @throws HOOK_ANSWER_INVALID */
export function assertDirectory(path: string): void {
  if (!isDirectory(path)) throw invalid(path, 'the target is not a directory')
}

/** After finish there must be a root file system, and no link to one. @throws HOOK_ANSWER_INVALID */
export function assertShown(rootfs: string, hooks: string): void {
  if (lstatSync(rootfs, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    throw withFacts(invalid(rootfs, 'finish has made a symbolic link there, not a directory'), {
      hooks
    })
  if (isDirectory(rootfs)) return
  throw withFacts(invalid(rootfs, 'finish has made no root file system there'), { hooks })
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

function invalid(path: string, reason: string): OciUnpackError {
  return new OciUnpackError('HOOK_ANSWER_INVALID', 'The answer of a hook is not valid.', {
    facts: { path, reason },
    hint: 'Look at what the hook prints: {hooks.trace} records every call.'
  })
}
