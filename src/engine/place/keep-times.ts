/** Temporary objects leave no trace in the times of their directory and inherit nothing from it. */
import { isErrno } from '../../sys/failure.ts'
import { listXattrs, removeXattr, setModeOf, setTimesOf } from '../../sys/metadata.ts'
import { status } from '../../sys/status.ts'
import { orTryAgain } from '../../sys/try-again.ts'
import { PRIVATE_MODE } from '../../workspace/private-directory.ts'

/** Runs `act` and restores the times of a directory: a temporary workspace in it does not count as a change. */
export function keepTimes<T>(fd: number, act: () => T): T {
  const { atimeSec, atimeNsec, mtimeSec, mtimeNsec } = status(fd, '')
  const result = act()
  const atime = { sec: atimeSec, nsec: atimeNsec }
  const mtime = { sec: mtimeSec, nsec: mtimeNsec }
  try {
    orTryAgain(() => setTimesOf(fd, atime, mtime))
  } catch (error) {
    // write access to another user's directory does not include setting its times
    if (!isErrno(error, 'EPERM')) throw error
  }
  return result
}

/** A set-group-ID bit or a default ACL of the parent would change the owner and mode of everything made below. */
export function shedInheritance(fd: number): void {
  for (const name of listXattrs(fd, ''))
    if (name === 'system.posix_acl_default' || name === 'system.posix_acl_access')
      removeXattr(fd, '', name)
  setModeOf(fd, PRIVATE_MODE)
}
