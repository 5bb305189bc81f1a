/** A directory of ours that a workspace is to be in, although its mode does not let us write to it. */
import { keepsUsOut, TO_CHANGE } from '../../sys/kept-out.ts'
import { setModeOf } from '../../sys/metadata.ts'
import { privileges } from '../../sys/privileges.ts'
import { status } from '../../sys/status.ts'

/** Opens it up if its mode keeps us out. Returns the mode that it had then. */
export function openUp(fd: number): number | undefined {
  if (privileges().overridesModes) return undefined
  const found = status(fd, '')
  if (!keepsUsOut(found, TO_CHANGE)) return undefined
  setModeOf(fd, found.mode | TO_CHANGE)
  return found.mode
}

export function whileOpenedUp<T>(fd: number, act: () => T): T {
  const before = openUp(fd)
  try {
    return act()
  } finally {
    if (before !== undefined) setModeOf(fd, before)
  }
}
