/** Which sinks have files hashed. Loads none of them. */
import type { SinkDescription } from './sinks.ts'

/** Whether a sink may ask for digests of files. */
export function hashesFiles(description: SinkDescription): boolean {
  switch (description.kind) {
    case 'digests':
      return true
    case 'staging':
    case 'erofs':
      return description.digests
    case 'index':
    case 'bodies':
      return false
  }
}
