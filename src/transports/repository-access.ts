/** Connections to the repository that a name leads to. */
import { DEFAULT_TAG, digestNamed } from '../image/tags.ts'
import type { Digest } from '../image/digest.ts'
import { connectToRead, connectToWrite } from '../registry/connect.ts'
import { Deliveries } from '../registry/deliveries.ts'
import { formatReference, parseReference } from '../registry/reference.ts'
import { openRegistryImages, type RepositoryAccess } from '../registry/registry-images.ts'
import type { RegistryEvent, Repository } from '../registry/registry.ts'
import type { ImageSource } from '../store/image-source.ts'
import { DEFAULT_MAX_DOCUMENT_SIZE } from '../store/layout.ts'
import type { OpenOptions } from './transport.ts'

/** Of an image on a registry: `//HOST/NAME`, and a tag or `@DIGEST`. */
export interface RepositoryName {
  path: string
  tag: string | undefined
}

type Use = 'read' | 'write'

/** @throws REGISTRY_*, CREDENTIALS_INVALID, CREDENTIAL_HELPER_FAILED, CERTIFICATES_INVALID, ABORTED */
export async function accessTo(
  name: RepositoryName,
  use: Use,
  options: OpenOptions
): Promise<RepositoryAccess> {
  const { registry: settings = {} } = options
  const repository = repositoryOf(name)
  const onEvent = (event: RegistryEvent): void => {
    if (event.type === 'warning') options.onWarning?.(event.message, event.facts)
    else options.onRetry?.(event)
  }
  const stopping = new AbortController()
  const { signal } = stopping
  const stop = (): void => stopping.abort(options.signal?.reason)
  if (options.signal?.aborted === true) stop()
  options.signal?.addEventListener('abort', stop)
  const ignore = (): void => options.signal?.removeEventListener('abort', stop)
  const connecting = { signal, onEvent }
  const connected =
    use === 'read'
      ? connectToRead({ ...repository, ...chosenBy(name) }, settings, connecting)
      : connectToWrite(repository, settings, connecting)
  connected.catch(ignore)
  const { client, endpoint } = await connected
  options.onChoice?.('The registry is chosen.', {
    image: formatReference(repository),
    host: endpoint.host,
    repository: endpoint.name
  })
  const deliveries = new Deliveries({ endpoint, settings, signal, onEvent })
  const close = (): void => {
    ignore()
    deliveries.close()
    void client.close()
  }
  const { host, isMirror = false } = endpoint
  const origin = { host, repository: endpoint.name, isMirror }
  return { repository, origin, client, deliveries, stop, close }
}

function repositoryOf({ path }: Pick<RepositoryName, 'path'>): Repository {
  return parseReference(path.slice(2))
}

function chosenBy({ tag = DEFAULT_TAG }: RepositoryName): { tag?: string; digest?: Digest } {
  const digest = digestNamed(tag)
  return digest === undefined ? { tag } : { digest }
}

export function openImages(
  access: RepositoryAccess,
  reference: string,
  { maxDocumentSize: limit = DEFAULT_MAX_DOCUMENT_SIZE, onWarning }: OpenOptions
): Promise<ImageSource> {
  return openRegistryImages(access, { reference, limit, onWarning })
}

/** What the registry is asked for. */
export function referenceOf(name: RepositoryName): string {
  const { tag, digest } = chosenBy(name)
  return digest ?? tag!
}
