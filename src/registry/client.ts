/** A connection to one repository of a registry (OCI distribution-spec 1.1). */
import { setMaxListeners } from 'node:events'
import { hasBlob, mountBlob } from './blobs.ts'
import { TIMING, type ClientOptions, type ClientSettings } from './client-settings.ts'
import { fetchDocument, hasDocument } from './documents.ts'
import { download } from './download.ts'
import { openHttp } from './http.ts'
import { putDocument } from './put-document.ts'
import { fetchReferrers } from './referrers.ts'
import type { RegistryClient, Repository } from './registry.ts'
import { Requests } from './requests.ts'
import { Secrets } from './secrets.ts'
import { throwIfStopped, type Session } from './session.ts'
import { listTags } from './tags.ts'
import { basicAuthorization } from './tokens.ts'
import { upload } from './upload.ts'

/** Nothing is sent before the first call. Proxies are those of the environment at this time. */
export function openRegistry(
  repository: Repository,
  settings: ClientSettings,
  options: ClientOptions = {}
): RegistryClient {
  const stopping = new AbortController()
  const session = openSession(repository, settings, options, stopping.signal)
  const stop = (): void => stopping.abort(options.signal?.reason)
  if (options.signal?.aborted === true) stop()
  options.signal?.addEventListener('abort', stop)
  const requests = new Requests(session)
  return {
    ...methods(requests),
    close: async () => {
      options.signal?.removeEventListener('abort', stop)
      stopping.abort()
      await session.http.close()
    }
  }
}

function openSession(
  repository: Repository,
  settings: ClientSettings,
  { onEvent, timing: given }: ClientOptions,
  signal: AbortSignal
): Session {
  // each request in progress listens to it
  setMaxListeners(0, signal)
  const timing = { ...TIMING, ...given }
  const secrets = secretsOf(settings)
  const http = openHttp(
    { tls: settings.tls, stallMs: timing.stall, environment: process.env },
    secrets
  )
  const report = onEvent ?? ((): void => undefined)
  return { repository, settings, http, secrets, timing, signal, report }
}

function secretsOf({ credentials }: ClientSettings): Secrets {
  const secrets = new Secrets()
  if (credentials === undefined) return secrets
  if ('identityToken' in credentials) secrets.add(credentials.identityToken)
  else {
    secrets.add(credentials.password)
    secrets.add(basicAuthorization(credentials).slice('Basic '.length))
  }
  return secrets
}

function methods(requests: Requests): Omit<RegistryClient, 'close'> {
  const { signal } = requests.session
  const unlessStopped = async <T>(work: () => Promise<T>): Promise<T> => {
    throwIfStopped(signal)
    return work()
  }
  return {
    document: (reference, limit) => unlessStopped(() => fetchDocument(requests, reference, limit)),
    blob: (blob, offset, take, end) =>
      unlessStopped(() => download(requests, blob, { offset, end: end ?? blob.size }, take)),
    hasBlob: (blob) => unlessStopped(() => hasBlob(requests, blob)),
    hasDocument: (reference) => unlessStopped(() => hasDocument(requests, reference)),
    mount: (blob, from) => unlessStopped(() => mountBlob(requests, blob, from)),
    upload: (blob, read) => unlessStopped(() => upload(requests, blob, read)),
    putDocument: (reference, document) =>
      unlessStopped(() => putDocument(requests, reference, document)),
    tags: () => listTags(requests),
    referrers: (digest) => unlessStopped(() => fetchReferrers(requests, digest))
  }
}
