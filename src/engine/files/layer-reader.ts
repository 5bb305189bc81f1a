/** Single layers of an image, read on demand. A layer is verified before anything from it is returned. */
import { withFacts } from '../../errors.ts'
import type { StagedEntry } from '../../plan/staged-entry.ts'
import type { WantedBody } from '../../rootfs/export-sink.ts'
import type { OutputDescription } from '../../rootfs/output-writer.ts'
import type { Control } from '../../worker/control.ts'
import { decodeEntries } from '../../worker/entry-codec.ts'
import type { ExportBodyTask, ExportedBody } from '../../worker/export-body.ts'
import type { IndexLayerTask } from '../../worker/index-layer.ts'
import type { ResultOf } from '../../worker/perform.ts'
import type { Pool } from '../../worker/pool.ts'
import type { ReadLayerTask } from '../../worker/read-layer.ts'
import type { SinkDescription } from '../../worker/sinks.ts'
import type { ImageJob } from '../extract/job.ts'
import { entriesTask, layerName, readLayerTask } from '../extract/layer-tasks.ts'
import { warnOfOtherCompression, type OnOtherCompression } from '../extract/other-compression.ts'
import { reportProgress } from '../operation/progress.ts'
import { withThreads } from '../operation/threads.ts'

/** The entries of a layer; may be called repeatedly. */
export type LayerIndex = () => Iterable<StagedEntry>

/** Larger ones make a smaller index, and smaller ones a faster read (docs/decisions/2026-11-29-restart-points.md). */
const SPAN_BYTES = 1 << 22

/** Runs `act` with a reader; the limits of an image apply to everything that is read with it. */
export async function withLayerReader<T>(
  job: ImageJob,
  act: (reader: LayerReader) => Promise<T>
): Promise<T> {
  const { jobs, signal, onEvent } = job.settings
  const layers = job.image.manifest.layers.length
  return withThreads(jobs, { jobs, signal, layers }, async (pool, control) => {
    const progress = reportProgress(control, layers, onEvent)
    try {
      return await act(new LayerReader(job, pool, control))
    } finally {
      progress.stop()
    }
  })
}

export class LayerReader {
  private readonly job: ImageJob
  private readonly pool: Pool
  private readonly control: Control
  private readonly onOtherCompression: OnOtherCompression

  constructor(job: ImageJob, pool: Pool, control: Control) {
    this.job = job
    this.pool = pool
    this.control = control
    this.onOtherCompression = warnOfOtherCompression(job.settings.onEvent)
  }

  async index(layer: number): Promise<LayerIndex> {
    return entriesOf(await this.read(layer, { kind: 'index' }))
  }

  /**
   * Writes bodies of a layer as files in a private directory.
   * @param directory its descriptor
   * @param wanted the names of these files, by where the bodies begin in the layer
   */
  async bodies(
    layer: number,
    directory: number,
    wanted: ReadonlyMap<number, string>
  ): Promise<void> {
    await this.read(layer, { kind: 'bodies', directory, wanted })
  }

  /** @param file descriptor of a new file, which becomes the index of the layer once this has returned */
  async makeIndex(layer: number, file: number): Promise<void> {
    await this.run({ ...entriesTask(this.job, layer), type: 'index-layer', file, span: SPAN_BYTES })
  }

  /**
   * Writes one file of a layer to its final place, and returns the entries, too: all, or those up to this file.
   * @param output undefined: nothing is written
   */
  async exportBody(
    layer: number,
    wanted: WantedBody,
    output: OutputDescription | undefined,
    stopEarly: boolean
  ): Promise<{ index: LayerIndex; exported: ExportedBody | undefined }> {
    const task = entriesTask(this.job, layer)
    const { batches, result } = await this.run(
      { ...task, type: 'export-body', wanted, output, stopEarly },
      (exported) => exported?.isVerified !== false
    )
    return { index: entriesOf(batches), exported: result }
  }

  private async read(layer: number, sink: SinkDescription): Promise<Uint8Array[]> {
    return (await this.run(readLayerTask(this.job, layer, sink))).batches
  }

  private async run<T extends ReadLayerTask | IndexLayerTask | ExportBodyTask>(
    task: T,
    isVerified: (result: ResultOf<T>) => boolean = () => true
  ): Promise<{ batches: Uint8Array[]; result: ResultOf<T> }> {
    const { job, pool, control } = this
    const { layer } = task
    const batches: Uint8Array[] = []
    let result: ResultOf<T>
    try {
      result = await pool.run(task, control, {
        entries: (batch) => void batches.push(batch),
        otherCompression: (found) =>
          this.onOtherCompression(layer, task.source, task.compression, found)
      })
    } catch (error) {
      throw withFacts(error, { layer: layerName(layer, task.source) })
    }
    if (isVerified(result))
      job.settings.onEvent({ type: 'layer', layer, counters: control.layer(layer) })
    return { batches, result }
  }
}

function entriesOf(batches: readonly Uint8Array[]): LayerIndex {
  return function* () {
    for (const batch of batches) yield* decodeEntries(batch)
  }
}
