/** What all requests of one client share. */
import { aborted } from '../errors.ts'
import type { ClientSettings, Timing } from './client-settings.ts'
import type { Http } from './http.ts'
import type { RegistryEvent, Repository } from './registry.ts'
import type { Secrets } from './secrets.ts'

export interface Session {
  readonly repository: Repository
  readonly settings: ClientSettings
  readonly http: Http
  readonly secrets: Secrets
  readonly timing: Timing
  /** Fires for the caller's signal, and when the client is closed. */
  readonly signal: AbortSignal
  readonly report: (event: RegistryEvent) => void
}

/** @throws ABORTED */
export function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw aborted(signal.reason)
}
