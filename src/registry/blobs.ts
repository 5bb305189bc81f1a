/** Whether blobs are there, and taking them over from other repositories. */
import { OciUnpackError } from '../errors.ts'
import { followed } from './addresses.ts'
import { withGrace } from './grace.ts'
import type { RegistryBlob } from './registry.ts'
import type { Requests } from './requests.ts'
import { cancelUpload } from './upload-session.ts'

export async function hasBlob(requests: Requests, blob: RegistryBlob): Promise<boolean> {
  const answer = await requests.send({
    method: 'HEAD',
    to: `blobs/${blob.digest}`,
    access: 'pull',
    headers: { accept: '*/*', 'accept-encoding': 'identity' },
    accept: [200, 404],
    missing: 'BLOB_NOT_FOUND',
    blob: blob.digest
  })
  answer.discard()
  const length = answer.headers['content-length']
  return answer.status === 200 && (length === undefined || Number(length) === blob.size)
}

/** False if the registry does not do that, or may not tell what is in the other repository. */
export async function mountBlob(
  requests: Requests,
  blob: RegistryBlob,
  from: string
): Promise<boolean> {
  const query = new URLSearchParams({ mount: blob.digest, from })
  try {
    const answer = await withGrace(requests.session, (signal) =>
      requests.send({
        method: 'POST',
        to: `blobs/uploads/?${query.toString()}`,
        access: 'push',
        from,
        headers: { 'content-length': '0' },
        accept: [201, 202, 400, 404, 405],
        missing: 'BLOB_NOT_FOUND',
        blob: blob.digest,
        signal
      })
    )
    answer.discard()
    // it has begun an upload instead
    const location = followed(answer.url, answer.headers.location, false)
    if (answer.status === 202 && location !== undefined) await cancelUpload(requests, location)
    return answer.status === 201
  } catch (error) {
    if (error instanceof OciUnpackError && error.code === 'REGISTRY_DENIED') return false
    throw error
  }
}
