/** Which sinks have files hashed. Loads none of them. */
import type { SinkDescription } from './sinks.ts'

/** Whether a sink may ask for digests of files. */
export function hashesFiles(description: SinkDescription): boolean {
  return description.kind === 'digests' || (description.kind === 'staging' && description.digests)
}
