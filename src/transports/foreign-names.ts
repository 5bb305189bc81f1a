/** Names in the form of transports that skopeo and podman have and this program has not, or that are written differently. */
import { OciUnpackError } from '../errors.ts'
import { looksLikeLayout } from '../store/layout.ts'
import type { Use } from './namesakes.ts'

const FOREIGN = /^(?<name>docker-daemon|containers-storage|dir|ostree|sif):/

/**
 * Lets everything else pass, and tags in layout directories that have such a name. A new layout may be called `dir`.
 * @throws REFERENCE_INVALID, with the way that the image can take
 */
export function assertNotForeign(text: string, use: Use): void {
  assertSlashes(text)
  const name = FOREIGN.exec(text)?.groups?.['name']
  if (name === undefined || looksLikeLayout(name) || (name === 'dir' && use === 'write')) return
  throw new OciUnpackError('REFERENCE_INVALID', `The transport ${name}: is not supported.`, {
    facts: { found: text },
    hint:
      use === 'write'
        ? `Copy the image to a layout, and then run: skopeo copy oci:DIRECTORY:TAG ${text}`
        : `Make a layout of the image first: skopeo copy ${text} oci:DIRECTORY:TAG`
  })
}

/** In a name such as `docker:debian:12`, the slashes are missing; a layout directory may be called `docker`. */
function assertSlashes(text: string): void {
  const rest = /^docker:(.*\/.*|.+:.+)$/s.exec(text)?.[1]
  if (rest === undefined || looksLikeLayout('docker')) return
  throw new OciUnpackError(
    'REFERENCE_INVALID',
    'The name of an image on a registry has two slashes.',
    {
      facts: { found: text },
      hint: `Write docker://${rest.replace(/^\/+/, '')}, or ./${text} for a directory with this name.`
    }
  )
}
