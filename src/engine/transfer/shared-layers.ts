/** Layers that several images have in common are read once, and kept as long as an image needs them. */
import type { Pool } from '../../worker/pool.ts'
import { Control, type LayerCounters } from '../../worker/control.ts'
import type { ReadLayerTask } from '../../worker/read-layer.ts'

/** A verified layer. */
export interface LayerEntries {
  /** Encoded, in archive order. */
  batches: readonly Uint8Array[]
  counters: LayerCounters
  /** Bytes of holes that an unpack would hash. */
  holes: number
}

export class SharedLayers {
  private readonly pool: Pool
  private readonly signal: AbortSignal | undefined
  /** Of the layers that are being read. */
  private readonly controls = new Set<Control>()
  private readonly reads = new Map<string, Promise<LayerEntries>>()
  /** How many images still need each layer. */
  private readonly uses = new Map<string, number>()

  constructor(
    pool: Pool,
    { signal }: { signal: AbortSignal | undefined },
    tasks: readonly ReadLayerTask[]
  ) {
    this.pool = pool
    this.signal = signal
    signal?.addEventListener('abort', this.abort)
    for (const task of tasks) this.uses.set(keyOf(task), (this.uses.get(keyOf(task)) ?? 0) + 1)
  }

  /** @throws what reading the layer throws, to every image that has it */
  read(task: ReadLayerTask): Promise<LayerEntries> {
    const key = keyOf(task)
    const begun = this.reads.get(key)
    if (begun !== undefined) return begun
    const read = this.readAlone(task)
    this.reads.set(key, read)
    return read
  }

  /** An image is done with its layers. */
  release(tasks: readonly ReadLayerTask[]): void {
    for (const key of tasks.map(keyOf)) {
      const left = this.uses.get(key)! - 1
      this.uses.set(key, left)
      if (left === 0) this.reads.delete(key)
    }
  }

  /** The limits of an image are for all of its layers, so each is counted for itself. */
  private async readAlone(task: ReadLayerTask): Promise<LayerEntries> {
    const control = Control.forLayers(1)
    this.controls.add(control)
    if (this.signal?.aborted === true) control.abort()
    const batches: Uint8Array[] = []
    try {
      await this.pool.run({ ...task, layer: 0 }, control, {
        entries: (batch) => batches.push(batch)
      })
      return { batches, counters: control.layer(0), holes: control.holes }
    } finally {
      this.controls.delete(control)
    }
  }

  /** The signal means nothing to layers any more. */
  close(): void {
    this.signal?.removeEventListener('abort', this.abort)
  }

  private readonly abort = (): void => {
    for (const control of this.controls) control.abort()
  }
}

function keyOf({ source, compression, diffId }: ReadLayerTask): string {
  return `${source.digest} ${source.size} ${compression} ${diffId}`
}
