/**
 * Puts the modes of a ledger back, newest first, and each only if the object still is what was made of it: another mode,
 * or another object of that name, is the work of somebody else.
 */
import type { ByteString } from '../bytes.ts'
import { isErrno } from './failure.ts'
import { close, openPlace, truncate } from './files.ts'
import { outstanding, type Ledger, type LentMode } from './ledger.ts'
import { setModeOfPlace } from './metadata.ts'
import { status } from './status.ts'
import { orTryAgain } from './try-again.ts'

/**
 * Puts all modes back and empties the ledger.
 * @throws SyscallError; all else that can be put back is, and the ledger is kept for another try
 */
export function putModesBack(ledger: Ledger): void {
  putAllBack(ledger)
  truncate(ledger.file, 0)
}

/** Puts all modes back, and ends the use of the ledger. @throws SyscallError */
export function closeLedger(ledger: Ledger): void {
  try {
    putAllBack(ledger)
  } finally {
    close(ledger.file)
  }
}

function putAllBack(ledger: Ledger): void {
  const failures: unknown[] = []
  for (const lent of outstanding(ledger).reverse())
    try {
      orTryAgain(() => putBackIfThere(ledger.base, lent))
    } catch (error) {
      failures.push(error)
    }
  if (failures.length > 0) throw failures[0]
}

/** Objects that are gone or changed are passed over. */
function putBackIfThere(base: number, lent: LentMode): void {
  try {
    putBack(base, lent)
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) throw error
  }
}

function putBack(base: number, lent: LentMode): void {
  const place = openBelow(base, lent.path)
  try {
    const found = status(place, '')
    const isSame = String(found.inode) === lent.inode || isCopy(base, lent)
    if (isSame && found.mode === lent.lent) setModeOfPlace(place, lent.mode)
  } finally {
    close(place)
  }
}

function isCopy(directory: number, { base }: LentMode): boolean {
  return base !== undefined && base !== String(status(directory, '').inode)
}

/** Through directories alone. */
function openBelow(base: number, path: ByteString): number {
  let place = openPlace(base, '.')
  if (path === '') return place
  for (const name of path.split('/')) {
    const above = place
    try {
      place = openPlace(above, name)
    } finally {
      close(above)
    }
  }
  return place
}
