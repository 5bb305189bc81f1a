/** What is made in a directory for a while leaves no trace there, and takes nothing over from it. */
import { isErrno } from '../../sys/failure.ts'
import { listXattrs, removeXattr, setModeOf, setTimesOf } from '../../sys/metadata.ts'
import { status } from '../../sys/status.ts'
import { PRIVATE_MODE } from '../../workspace/private-directory.ts'

/** Runs with the times of a directory put back: a workspace that comes and goes in it is nobody's change. */
export function keepTimes<T>(fd: number, act: () => T): T {
  const { atimeSec, atimeNsec, mtimeSec, mtimeNsec } = status(fd, '')
  const result = act()
  try {
    setTimesOf(fd, { sec: atimeSec, nsec: atimeNsec }, { sec: mtimeSec, nsec: mtimeNsec })
  } catch (error) {
    // who may write to another's directory may still not set its times
    if (!isErrno(error, 'EPERM')) throw error
  }
  return result
}

/** A set-group-ID bit or a default ACL of the place would change the owner and mode of all that is made below. */
export function shedInheritance(fd: number): void {
  for (const name of listXattrs(fd, ''))
    if (name === 'system.posix_acl_default' || name === 'system.posix_acl_access')
      removeXattr(fd, '', name)
  setModeOf(fd, PRIVATE_MODE)
}
