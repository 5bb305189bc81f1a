/** Names the option that needs no privileges where an ordinary user was refused something. */
import { withHint } from '../../errors.ts'
import { fromNode, isErrno } from '../../sys/failure.ts'

/** @param rootless whether the option was given */
export async function suggestingRootless<T>(
  rootless: boolean | undefined,
  act: () => Promise<T>
): Promise<T> {
  try {
    return await act()
  } catch (thrown) {
    const error = fromNode(thrown)
    const mayHelp = rootless !== true && process.geteuid!() !== 0
    throw mayHelp && isErrno(error, 'EPERM', 'EACCES') ? withHint(error, HINT) : error
  }
}

const HINT = 'You are not root: {rootless} may help.'
