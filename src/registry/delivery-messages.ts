/** What the thread of a registry's connections is told, and tells. */
import type { Endpoint } from './endpoints.ts'
import type { RegistryBlob, RegistryEvent, RegistrySettings } from './registry.ts'

/** Given to the thread when it starts. */
export interface Setup {
  endpoint: Endpoint
  settings: RegistrySettings
}

/** A blob that somebody may read; registries keep documents (manifests, indexes) apart from other blobs. */
export interface Order {
  blob: RegistryBlob
  kind: 'blob' | 'document'
  memory: SharedArrayBuffer
}

export interface FromDeliverer {
  event: RegistryEvent
}
