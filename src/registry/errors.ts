/** What can go wrong with a registry, in words. The only file that makes such errors. */
import { OciUnpackError, type ErrorCode, type Facts } from '../errors.ts'
import type { HttpFailure, FailureKind } from './http-failure.ts'
import { changedOnTheWay } from '../store/blob-errors.ts'
import type { Repository } from './registry.ts'

/** Where it went wrong. */
export interface Place {
  readonly repository: Repository
  /** As in `GET /v2/library/debian/manifests/12`. */
  readonly request: string
  /** Set where a blob is meant. */
  readonly blob?: string | undefined
  /** `HOST[:PORT]` that the registry refers to, as where it keeps its blobs. */
  readonly elsewhere?: string | undefined
}

const FAILURES: Readonly<Record<FailureKind, [ErrorCode, message: string, hint?: string]>> = {
  'unknown-host': [
    'REGISTRY_UNREACHABLE',
    'The host of the registry is not known.',
    'Check the name, the network, and whether a proxy is needed (HTTPS_PROXY, NO_PROXY).'
  ],
  unreachable: [
    'REGISTRY_UNREACHABLE',
    'The registry does not answer.',
    'Check the network, and whether a proxy is needed (HTTPS_PROXY, NO_PROXY).'
  ],
  refused: [
    'REGISTRY_UNREACHABLE',
    'The registry does not accept connections.',
    'Check the host and the port. Behind a proxy, set HTTPS_PROXY and NO_PROXY.'
  ],
  'no-proxy': [
    'REGISTRY_UNREACHABLE',
    'The proxy on the way to the registry cannot be reached.',
    'Check HTTPS_PROXY (for plain HTTP, HTTP_PROXY), or name the registry in NO_PROXY if no proxy is needed.'
  ],
  'no-tunnel': [
    'REGISTRY_UNREACHABLE',
    'The proxy does not lead to the registry.',
    'Check the host, what the proxy allows, and whether it needs credentials: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT.'
  ],
  tls: [
    'REGISTRY_TLS',
    'No secure connection to the registry can be made.',
    'Put the certificate of its authority into {registry.certDir}. If you trust the network, use {registry.tlsVerify}=false.'
  ],
  'not-tls': [
    'REGISTRY_TLS',
    'The registry does not speak HTTPS.',
    'Check the host and the port. If it speaks plain HTTP and you trust the network, use {registry.tlsVerify}=false.'
  ],
  stalled: [
    'REGISTRY_STALLED',
    'The registry stopped sending.',
    'The network or the registry may be overloaded. Try again later.'
  ],
  garbled: ['REGISTRY_ANSWER_INVALID', 'What the registry sends is not HTTP.'],
  broken: [
    'REGISTRY_UNREACHABLE',
    'The connection to the registry broke.',
    'Check the network, and the proxy if there is one. Try again later.'
  ]
}

export function connectionFailed(place: Place, failure: HttpFailure): OciUnpackError {
  const [code, message, hint] = FAILURES[failure.kind]
  if (place.elsewhere !== undefined) return transferFailed(code, place, failure)
  return new OciUnpackError(code, message, {
    facts: {
      ...factsOf(place),
      ...(failure.proxy === undefined ? {} : { proxy: failure.proxy }),
      reason: failure.message
    },
    cause: failure,
    ...(hint === undefined ? {} : { hint })
  })
}

/** The registry itself has answered. */
function transferFailed(code: ErrorCode, place: Place, failure: HttpFailure): OciUnpackError {
  return new OciUnpackError(code, 'The registry refers to another host, which failed.', {
    facts: { ...factsOf(place), reason: failure.message },
    cause: failure,
    hint: `Blobs of this registry come from ${place.elsewhere}. Check whether that can be reached from here, and whether a proxy is needed (HTTPS_PROXY, NO_PROXY).`
  })
}

export function denied(
  place: Place,
  { status, reason, hasCredentials }: { status: number; reason: string; hasCredentials: boolean }
): OciUnpackError {
  const { host } = place.repository
  const facts = { ...factsOf(place), status, ...(reason && { reason }) }
  return new OciUnpackError('REGISTRY_DENIED', 'The registry denies access.', {
    facts,
    hint: hasCredentials
      ? `The credentials that were found for ${host} are not valid, or do not allow this. Log in again, for example with podman login ${host}.`
      : `No credentials were found for ${host}. Check the name; if the repository is private, log in, for example with podman login ${host}, or name a file with {registry.authfile}.`
  })
}

/** The registry asks for something before it gives access that cannot be done. @param reason as a clause with a subject */
export function cannotLogIn(place: Place, reason: string): OciUnpackError {
  return new OciUnpackError('REGISTRY_DENIED', 'There is no way to log in to the registry.', {
    facts: { ...factsOf(place), status: 401, reason }
  })
}

/** The registry asks for a pause that is too long, or is still busy after several. */
export function busy(place: Place, status: number, reason: string): OciUnpackError {
  return new OciUnpackError(
    'REGISTRY_BUSY',
    'The registry does not accept more requests for now.',
    {
      facts: { ...factsOf(place), status, reason },
      hint: 'Try again later. Many registries allow more to users who are logged in.'
    }
  )
}

export function failed(place: Place, status: number, reason: string): OciUnpackError {
  return new OciUnpackError('REGISTRY_FAILED', 'The registry could not do what it was asked.', {
    facts: { ...factsOf(place), status, ...(reason && { reason }) },
    ...(status < 500 ? {} : { hint: 'The registry has a problem of its own. Try again later.' })
  })
}

const NOT_FOUND = {
  REPOSITORY_NOT_FOUND: 'The registry does not have this repository.',
  MANIFEST_NOT_FOUND: 'The repository does not contain an image with this tag or digest.',
  BLOB_NOT_FOUND: 'The repository does not contain a blob that the image needs.'
} as const

export type NotFound = keyof typeof NOT_FOUND

/** @param access what was tried */
export function notFound(
  place: Place,
  code: NotFound,
  { reason, access }: { reason: string; access: 'pull' | 'push' }
): OciUnpackError {
  return new OciUnpackError(code, NOT_FOUND[code], {
    facts: { ...factsOf(place), status: 404, ...(reason && { reason }) },
    ...(code === 'REPOSITORY_NOT_FOUND' && access === 'push' && { hint: CREATE_IT })
  })
}

const CREATE_IT =
  'Check the name. Some registries accept uploads only into repositories that were created there before.'

/** @param reason what is wrong with the answer, as a clause with a subject */
export function answerInvalid(place: Place, reason: string, more: Facts = {}): OciUnpackError {
  return new OciUnpackError(
    'REGISTRY_ANSWER_INVALID',
    'The answer of the registry cannot be used.',
    {
      facts: { ...factsOf(place), ...more, reason },
      hint: 'Check the host: it may not be a registry, or something between here and there may change its answers.'
    }
  )
}

export function sizeDiffers(place: Place, expected: number, found: string): OciUnpackError {
  return new OciUnpackError(
    'BLOB_SIZE_MISMATCH',
    'The size of a blob is not what the image says.',
    {
      facts: { ...factsOf(place), expected: `${expected} bytes`, found },
      hint: hintFor(place)
    }
  )
}

/** Bytes that were asked for by their digest, or that the registry itself says have another. */
export function digestDiffers(place: Place, expected: string, found: string): OciUnpackError {
  return new OciUnpackError(
    'BLOB_DIGEST_MISMATCH',
    'The registry sent other bytes than it was asked for.',
    { facts: { ...factsOf(place), expected, found }, hint: hintFor(place) }
  )
}

function hintFor({ repository: { host, isMirror = false } }: Place): string {
  return changedOnTheWay({ host, isMirror })
}

export function documentTooLarge(place: Place, limit: number): OciUnpackError {
  return new OciUnpackError('LIMIT_EXCEEDED', 'A document of the registry is too large.', {
    facts: { ...factsOf(place), expected: `at most ${limit} bytes` }
  })
}

/** The same bytes were read twice with different lengths. */
export function sourceChanged(place: Place, expected: number, found: number): OciUnpackError {
  return new OciUnpackError('FILE_CHANGED', 'A blob changed while it was being uploaded.', {
    facts: { ...factsOf(place), expected: `${expected} bytes`, found: `${found} bytes` }
  })
}

function factsOf({ repository, request, blob }: Place): Facts {
  return {
    host: repository.host,
    repository: repository.name,
    ...(blob === undefined ? {} : { blob }),
    request
  }
}
