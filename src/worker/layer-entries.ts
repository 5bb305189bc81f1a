/** From the members of an archive to the entries of a layer: the stage between the parser and the sink. */
import { display, type ByteString } from '../bytes.ts'
import { withFacts } from '../errors.ts'
import { planEntry, type EntryRules } from '../plan/plan-entry.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { LayerSink } from '../rootfs/layer-sink.ts'
import type { TarEntry } from '../tar/entry.ts'
import type { TarSink } from '../tar/sink.ts'
import type { Extents } from '../tar/sparse.ts'

export class LayerEntries implements TarSink {
  private readonly rules: EntryRules
  private readonly sink: LayerSink
  private readonly onEntry: (entry: StagedEntry) => void
  private current: StagedEntry | undefined

  /** @param onEntry receives, and then owns, each entry when the sink is done with it */
  constructor(rules: EntryRules, sink: LayerSink, onEntry: (entry: StagedEntry) => void) {
    this.rules = rules
    this.sink = sink
    this.onEntry = onEntry
  }

  entry(entry: TarEntry, body: number, extents: Extents | undefined): void {
    try {
      this.current = planEntry(entry, this.rules)
      this.sink.entry(this.current, body, extents)
    } catch (error) {
      throw about(entry.name, error)
    }
  }

  data(chunk: Buffer, start: number, end: number, position: number): void {
    try {
      this.sink.data(chunk, start, end, position)
    } catch (error) {
      throw about(this.current!.path, error)
    }
  }

  end(): void {
    const entry = this.current!
    try {
      this.sink.end()
    } catch (error) {
      throw about(entry.path, error)
    }
    this.onEntry(entry)
  }
}

function about(name: ByteString, error: unknown): unknown {
  return withFacts(error, { entry: display(name) })
}
