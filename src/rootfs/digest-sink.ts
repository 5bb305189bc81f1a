/** The sink that has the bodies of wanted files hashed and writes nothing. Other entries are only recorded, as in an index. */
import type { ByteString } from '../bytes.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { LayerSink } from './layer-sink.ts'

export interface DigestsDescription {
  kind: 'digests'
  /** Files with these paths. */
  paths: ReadonlySet<ByteString>
  /** Files whose bodies begin here in the tar (as an index says). */
  bodies: ReadonlySet<number>
}

export class DigestSink implements LayerSink {
  hashesFile = false
  private readonly description: DigestsDescription

  constructor(description: DigestsDescription) {
    this.description = description
  }

  entry(entry: StagedEntry, body: number): void {
    const { paths, bodies } = this.description
    entry.body = body
    this.hashesFile = entry.type === 'file' && (paths.has(entry.path) || bodies.has(body))
  }

  data(): void {
    // it is hashed elsewhere
  }

  end(): void {
    // everything was recorded in `entry`
  }

  close(): void {
    // there is nothing to release
  }
}
