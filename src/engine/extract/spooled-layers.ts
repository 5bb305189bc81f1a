/** Layers that are decompressed and verified ahead of their turn, in threads, each into its own file. */
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { withFacts } from '../../errors.ts'
import type { Control } from '../../worker/control.ts'
import type { Pool } from '../../worker/pool.ts'
import type { Job } from './job.ts'
import { layerName, verifiedTarTask, type LayerTar } from './layer-tasks.ts'
import { warnOfOtherCompression, type OnOtherCompression } from './other-compression.ts'
import { reportProgress } from '../operation/progress.ts'
import { withThreads } from '../operation/threads.ts'

export interface Spools {
  /** Waits for the verified tar of the next layer. */
  take(layer: number): Promise<LayerTar>
  /** Says that the tar is no longer needed, so that one more layer may be read. */
  drop(layer: number): void
}

/** At most as many layers are in files as there are threads. @param directory is private, and emptied at the end */
export async function withSpools<T>(
  job: Job,
  layers: readonly number[],
  directory: string,
  act: (spools: Spools) => Promise<T>
): Promise<T> {
  const { jobs, signal, onEvent } = job.settings
  const count = job.image.manifest.layers.length
  const threads = Math.min(jobs, layers.length)
  try {
    return await withThreads(threads, { jobs, signal, layers: count }, async (pool, control) => {
      const progress = reportProgress(control, count, onEvent)
      try {
        return await act(new Ahead(job, layers, directory, pool, control))
      } finally {
        control.abort()
        progress.stop()
      }
    })
  } finally {
    for (const layer of layers) rmSync(pathOf(directory, layer), { force: true })
  }
}

class Ahead implements Spools {
  private readonly job: Job
  private readonly waiting: number[]
  private readonly directory: string
  private readonly pool: Pool
  private readonly control: Control
  private readonly onOtherCompression: OnOtherCompression
  private readonly running = new Map<number, Promise<LayerTar>>()

  constructor(
    job: Job,
    layers: readonly number[],
    directory: string,
    pool: Pool,
    control: Control
  ) {
    this.job = job
    this.waiting = [...layers]
    this.directory = directory
    this.pool = pool
    this.control = control
    this.onOtherCompression = warnOfOtherCompression(job.settings.onEvent)
    for (let started = 0; started < Math.max(1, job.settings.jobs); started++) this.start()
  }

  take(layer: number): Promise<LayerTar> {
    return this.running.get(layer)!
  }

  drop(layer: number): void {
    rmSync(pathOf(this.directory, layer), { force: true })
    this.start()
  }

  private start(): void {
    const layer = this.waiting.shift()
    if (layer === undefined) return
    const spooling = this.spool(layer)
    spooling.catch(() => undefined) // `take` rejects with the failure
    this.running.set(layer, spooling)
  }

  private async spool(layer: number): Promise<LayerTar> {
    const { directory, job, control } = this
    const task = verifiedTarTask(job, layer)
    try {
      await this.pool.run(
        {
          ...task,
          type: 'spool-layer',
          limits: job.settings.limits,
          directory,
          name: nameOf(layer)
        },
        control,
        {
          otherCompression: (found) =>
            this.onOtherCompression(layer, task.source, task.compression, found)
        }
      )
    } catch (error) {
      throw withFacts(error, { layer: layerName(layer, task.source) })
    }
    job.settings.onEvent({ type: 'layer', layer, counters: control.layer(layer) })
    const path = pathOf(directory, layer)
    return { path, size: statSync(path).size }
  }
}

function nameOf(layer: number): string {
  return `spool-${layer}`
}

function pathOf(directory: string, layer: number): string {
  return join(directory, nameOf(layer))
}
