/** The sink that writes nothing: each entry records where in the tar its body is. */
import type { StagedEntry } from '../plan/staged-entry.ts'
import { storedBytes, type Extents } from '../tar/sparse.ts'
import type { LayerSink, SinkReport } from './layer-sink.ts'

export interface IndexDescription {
  kind: 'index'
  /** Count holes as bytes that an unpack would hash, so that the limits mean the same. */
  countsHoles?: boolean
}

export class IndexSink implements LayerSink {
  readonly hashesFile = false
  private readonly report: SinkReport | undefined

  constructor({ countsHoles }: IndexDescription, report: SinkReport) {
    this.report = countsHoles === true ? report : undefined
  }

  entry(entry: StagedEntry, body: number, extents: Extents | undefined): void {
    entry.body = body
    if (extents === undefined) return
    entry.extents = extents
    this.report?.holes(entry.size - storedBytes(extents))
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
