/** Names the option that needs no privileges where somebody without them was refused something. */
import { withHint } from '../../errors.ts'
import { fromNode, isErrno } from '../../sys/failure.ts'
import { privileges } from '../../sys/privileges.ts'

/** @param rootless whether the option was given */
export async function suggestingRootless<T>(
  rootless: boolean | undefined,
  act: () => Promise<T>
): Promise<T> {
  try {
    return await act()
  } catch (thrown) {
    const error = fromNode(thrown)
    const isRoot = process.geteuid!() === 0 && privileges().setsEveryXattr
    const mayHelp = rootless !== true && !isRoot
    throw mayHelp && isErrno(error, 'EPERM', 'EACCES') ? withHint(error, HINT) : error
  }
}

const HINT = 'You have not all privileges of root: {rootless} may help, which needs none.'
