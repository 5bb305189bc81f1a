/** A directory of ours that a workspace is to be in, although its mode does not let us write to it. */
import { keepsUsOut, TO_CHANGE } from '../../sys/kept-out.ts'
import { setModeOf } from '../../sys/metadata.ts'
import { privileges } from '../../sys/privileges.ts'
import { status } from '../../sys/status.ts'
import { orTryAgain } from '../../sys/try-again.ts'

/** Opens it up if its mode keeps us out. Returns the mode that it had then. */
export function openUp(fd: number): number | undefined {
  if (privileges().overridesModes) return undefined
  const found = status(fd, '')
  if (!keepsUsOut(found, TO_CHANGE)) return undefined
  setModeOf(fd, found.mode | TO_CHANGE)
  return found.mode
}

/** @param before what `openUp` returned */
export function closeAgain(fd: number, before: number | undefined): void {
  if (before !== undefined) orTryAgain(() => setModeOf(fd, before))
}

export function whileOpenedUp<T>(fd: number, act: () => T): T {
  const before = openUp(fd)
  try {
    return act()
  } finally {
    closeAgain(fd, before)
  }
}
