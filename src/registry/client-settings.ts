/** What a client needs to know, resolved: nothing here is looked up any more. */
import type { RegistryCredentials, RegistryEvent } from './registry.ts'

export interface ClientSettings {
  /** Sent only when the registry asks for them. */
  readonly credentials?: RegistryCredentials | undefined
  readonly tls: TlsSettings
  /** `fallback`: HTTPS is tried first. */
  readonly plainHttp: 'never' | 'fallback'
}

export interface TlsSettings {
  /** False: any certificate will do. */
  readonly verify: boolean
  /** Authorities in PEM form, in addition to those that Node knows. */
  readonly ca?: readonly Buffer[] | undefined
  /** The certificate of this client and its key, in PEM form. */
  readonly cert?: Buffer | undefined
  readonly key?: Buffer | undefined
}

export interface ClientOptions {
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: ((event: RegistryEvent) => void) | undefined
  /** For tests, which cannot wait as long. */
  readonly timing?: Partial<Timing> | undefined
}

/** How patient a client is. In milliseconds, where nothing else is said. */
export interface Timing {
  /** A transfer in which no byte arrives for so long is broken. */
  stall: number
  /** Bytes per second: while a registry may still be working on an upload at this rate, its answer is waited for. */
  slowestWork: number
  /** The pause before the second attempt; it doubles with each further one. */
  backoff: number
  longestBackoff: number
  /** A registry that asks for a longer pause is not waited for. */
  longestRetryAfter: number
  /** How often something is tried in all. */
  attempts: number
  /** The time that is left for opening or closing an upload session after a failure or a stop. */
  cleanUp: number
  /** The time that is left for the answer to an upload after a stop. Its session can be closed without it. */
  lastAnswer: number
  /** The time that is left for closing the session if that answer did not come: the registry may not react at all. */
  lastTry: number
}

/**
 * After the last byte of a blob, many registries read or copy all of it before they answer: docker-registry, which is also
 * in Harbor, copies it to its place in S3; artifact repositories take its checksums; and a proxy that buffers requests only
 * then begins to pass it on. That took several minutes for a few gigabytes, and more than 30 seconds for two, after which
 * containerd gives up and users complain (moby/moby issues 17038 and 53700). 30 seconds and another for each 4 MiB make
 * one minute for 120 MiB and nine for 2 GiB, while a connection that dies with a small blob in the buffer of its socket is
 * noticed as early as any other.
 */
export const TIMING: Timing = {
  stall: 30_000,
  slowestWork: 4 << 20,
  backoff: 500,
  longestBackoff: 15_000,
  longestRetryAfter: 90_000,
  attempts: 5,
  cleanUp: 2_000,
  lastAnswer: 250,
  lastTry: 750
}

/** How long the answer to an upload may take after its last byte. */
export function answerTo(bytes: number, { stall, slowestWork }: Timing): number {
  return stall + Math.ceil((1000 * bytes) / slowestWork)
}
