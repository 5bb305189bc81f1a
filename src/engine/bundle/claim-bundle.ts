/** Only one process at a time works on a bundle with hooks. */
import { OciUnpackError } from '../../errors.ts'
import { ownerProcesses, type Owner } from '../../hooks/owner.ts'
import { inodeKey, status } from '../../sys/status.ts'

/**
 * Runs `act` with a bundle claimed for its hooks. The hooks of an engine that was killed may still be working in it,
 * although its directory is no longer locked.
 * @param fd descriptor of the bundle's directory, locked against other engines
 * @throws BUNDLE_EXISTS
 */
export async function whileOwned<T>(
  owner: Owner,
  fd: number,
  bundle: string,
  act: () => Promise<T>
): Promise<T> {
  const what = `bundle ${inodeKey(status(fd, ''))}`
  const rival = owner.rival(what)
  if (rival !== undefined) throw stillAtWork(bundle, ownerProcesses(rival))
  owner.claim(what)
  try {
    return await act()
  } finally {
    owner.disclaim(what)
  }
}

function stillAtWork(bundle: string, pids: readonly number[]): OciUnpackError {
  return new OciUnpackError('BUNDLE_EXISTS', 'Another process is working on a bundle there.', {
    facts: {
      path: bundle,
      reason: 'a hook of an unpack that was killed is still running',
      ...(pids.length === 0 ? {} : { found: `process ${pids.join(', ')}` })
    },
    hint: 'Wait until it ends, or stop it.'
  })
}
