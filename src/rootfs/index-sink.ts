/** The sink that writes nothing: each entry records where in the tar its body is. */
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { Extents } from '../tar/sparse.ts'
import type { LayerSink } from './layer-sink.ts'

export interface IndexDescription {
  kind: 'index'
}

export class IndexSink implements LayerSink {
  entry(entry: StagedEntry, body: number, extents: Extents | undefined): void {
    entry.body = body
    if (extents !== undefined) entry.extents = extents
  }

  data(): void {
    // the body stays in the blob
  }

  end(): void {
    // everything was recorded in `entry`
  }

  close(): void {
    // there is nothing to release
  }
}
