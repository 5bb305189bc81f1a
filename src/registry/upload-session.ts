/** Giving up the sessions that uploads open. */
import type { Requests } from './requests.ts'

/** Says that nothing more will come. A registry that cannot do that removes the session after some time. @param ms the most that it takes */
export async function cancelUpload(
  requests: Requests,
  location: URL,
  ms: number = requests.session.timing.cleanUp
): Promise<void> {
  try {
    const answer = await requests.send({
      method: 'DELETE',
      to: location,
      access: 'push',
      accept: [200, 202, 204, 404],
      missing: 'REPOSITORY_NOT_FOUND',
      tries: 'once',
      // the caller may have stopped everything else
      signal: AbortSignal.timeout(ms)
    })
    answer.discard()
  } catch {
    // what went wrong before is what counts
  }
}
