/** Puts right and removes what dead processes left in a place, and claims the place. */
import { basename, dirname } from 'node:path'
import { display, fromText, type ByteString } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import { undo } from '../../rootfs/journal.ts'
import { close, openOperatorDirectory } from '../../sys/files.ts'
import { findLedger } from '../../sys/ledger.ts'
import { closeLedger } from '../../sys/put-modes-back.ts'
import { claim } from '../../workspace/claim.ts'
import { PRIVATE, removeLeftovers } from '../../workspace/leftovers.ts'
import { isPrivateNameFor } from '../../workspace/private-name.ts'
import type { OnEvent } from '../operation/events.ts'
import { closeAgain, openUp } from './open-up.ts'
import { recoverRefresh } from './refresh-note.ts'

/** Undoes and removes what dead processes left in a directory, which must be locked by the caller. */
export function tidy(directory: number, path: string, onEvent: OnEvent): void {
  let undone = false
  let mode: number | undefined
  try {
    removeLeftovers(directory, {
      recover(workspace) {
        undone = undo(workspace, directory)
        recoverRefresh(directory, workspace)
        if (recoverModes(directory, workspace)) mode = openUp(directory)
      },
      onRemoved: (name) => onEvent(leftover(path, name, undone))
    })
  } finally {
    closeAgain(directory, mode)
  }
}

/** Puts back the modes that a dead process had changed. Returns whether it kept a ledger of them. */
function recoverModes(directory: number, workspace: number): boolean {
  const ledger = findLedger(workspace, directory)
  if (ledger === undefined) return false
  closeLedger(ledger)
  return true
}

/**
 * Removes what a dead process left beside a destination that exists now; a directory that cannot be read is skipped.
 */
export function tidyBeside(path: string, onEvent: OnEvent): void {
  const above = openIfAllowed(dirname(path))
  if (above === undefined) return
  const isNamed = (name: ByteString): boolean => isPrivateNameFor(basename(path), name)
  try {
    removeLeftovers(
      above,
      { onRemoved: (found) => onEvent(leftover(dirname(path), found, false)) },
      { ...PRIVATE, isNamed }
    )
  } finally {
    close(above)
  }
}

function openIfAllowed(path: string): number | undefined {
  try {
    return openOperatorDirectory(fromText(path))
  } catch {
    return undefined
  }
}

function leftover(directory: string, name: ByteString, undone: boolean): Parameters<OnEvent>[0] {
  return { type: 'leftover', path: `${directory}/${display(name)}`, undone }
}

/** Locks the directory until it is closed. @throws BUNDLE_EXISTS if another process works in it */
export function assertFree(directory: number, path: string): void {
  if (claim(directory) !== 'taken') return
  throw new OciUnpackError('BUNDLE_EXISTS', 'Another process is working there.', {
    facts: { path },
    hint: 'Wait until it ends, or choose another directory.'
  })
}
