/** Temporary objects leave no trace in the times of their directory and inherit nothing from it. */
import { putBackTimes } from '../../rootfs/remembered.ts'
import { statusMetadata } from '../../rootfs/status-metadata.ts'
import { listXattrs, removeXattr, setModeOf } from '../../sys/metadata.ts'
import { PRIVATE_MODE } from '../../sys/private-mode.ts'
import { status } from '../../sys/status.ts'
import { orTryAgain } from '../../sys/try-again.ts'

/** Runs `act` and restores the times of a directory, also after a failure: a temporary workspace in it is no change. */
export function keepTimes<T>(fd: number, act: () => T): T {
  const before = statusMetadata(status(fd, ''))
  try {
    const result = act()
    orTryAgain(() => putBackTimes(fd, before))
    return result
  } catch (error) {
    attempt(() => putBackTimes(fd, before))
    throw error
  }
}

/** The failure that led here says more. */
function attempt(act: () => void): void {
  try {
    act()
  } catch {
    // as said above
  }
}

/** A set-group-ID bit or a default ACL of the parent would change the owner and mode of everything made below. */
export function shedInheritance(fd: number): void {
  for (const name of listXattrs(fd, ''))
    if (name === 'system.posix_acl_default' || name === 'system.posix_acl_access')
      removeXattr(fd, '', name)
  setModeOf(fd, PRIVATE_MODE)
}
