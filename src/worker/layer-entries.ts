/** From the members of an archive to the entries of a layer: the stage between the parser and the sink. */
import { display, type ByteString } from '../bytes.ts'
import { withFacts } from '../errors.ts'
import { planEntry, type EntryRules } from '../plan/plan-entry.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { LayerSink } from '../rootfs/layer-sink.ts'
import type { BodyDigests } from './body-digests.ts'
import type { TarEntry } from '../tar/entry.ts'
import type { TarSink } from '../tar/sink.ts'
import type { Extents } from '../tar/sparse.ts'

export class LayerEntries implements TarSink {
  private readonly rules: EntryRules
  private readonly sink: LayerSink
  private readonly onEntry: (entry: StagedEntry) => void
  private readonly bodies: BodyDigests | undefined
  private current: StagedEntry | undefined

  /**
   * @param onEntry receives, and then owns, each entry when the sink is done with it
   * @param bodies hashes the files, and passes the entries on when that is done
   */
  constructor(
    rules: EntryRules,
    sink: LayerSink,
    onEntry: (entry: StagedEntry) => void,
    bodies?: BodyDigests
  ) {
    this.rules = rules
    this.sink = sink
    this.onEntry = onEntry
    this.bodies = bodies
  }

  entry(entry: TarEntry, body: number, extents: Extents | undefined): void {
    try {
      this.current = planEntry(entry, this.rules)
      if (extents !== undefined) this.bodies?.countHoles(this.current.size, extents)
      this.sink.entry(this.current, body, extents)
      if (this.sink.hashesFile) this.bodies?.openFile(this.current)
    } catch (error) {
      throw about(entry.name, error)
    }
  }

  data(chunk: Buffer, start: number, end: number, position: number): void {
    try {
      this.sink.data(chunk, start, end, position)
      this.bodies?.data(start, end, position)
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
    if (this.bodies === undefined) this.onEntry(entry)
    else this.bodies.end(entry)
  }
}

function about(name: ByteString, error: unknown): unknown {
  return withFacts(error, { entry: display(name) })
}
