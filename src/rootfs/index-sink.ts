/** The sink that writes nothing: each entry says where in the tar its body lies. */
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
    // it stays in the blob
  }

  end(): void {
    // all that there is to know was known at the beginning
  }

  close(): void {
    // it holds nothing
  }
}
