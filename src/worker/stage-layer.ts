/**
 * The task of one thread: a layer from its blob to staged objects, verified to the last byte.
 * blob → digest → decompress → diff ID → tar entries → staging.
 */
import type { ByteString } from '../bytes.ts'
import type { EntryRules } from '../plan/plan-entry.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import { LayerStage } from '../rootfs/layer-stage.ts'
import { openBeneath } from '../sys/beneath.ts'
import { close } from '../sys/files.ts'
import { TarReader } from '../tar/reader.ts'
import type { TarLimits } from '../tar/limits.ts'
import type { Control } from './control.ts'
import { EntryEncoder } from './entry-codec.ts'
import { checkLimit } from './limit.ts'
import { readVerifiedTar, type TarSizeLimits, type VerifiedTarTask } from './verified-tar.ts'

export interface StageLayerTask extends VerifiedTarTask {
  type: 'stage-layer'
  /** An empty directory, of this layer alone. */
  staging: StagingPlace
  rules: EntryRules
  /** Hash every file for the manifest. */
  digests: boolean
  limits: StageLimits
}

/** Threads of one process share its descriptors: no name above the directory matters. */
export interface StagingPlace {
  directory: number
  /** Relative to that descriptor. */
  path: ByteString
}

/** The number of entries is over all layers of the image. */
export interface StageLimits extends TarSizeLimits {
  entries: number
  tar: Partial<TarLimits>
}

export interface StageLayerReport {
  /** Encoded entries, in archive order. */
  entries: (batch: Uint8Array<ArrayBuffer>) => void
  /** An attribute that this file system cannot hold; once for each name. */
  lostXattr: (entry: ByteString, xattr: ByteString) => void
}

/** Large enough that a message costs little for each entry, small enough that memory stays flat. */
const BATCH = 1024

export async function stageLayer(
  task: StageLayerTask,
  control: Control,
  report: StageLayerReport
): Promise<void> {
  const staging = openBeneath(task.staging.directory, task.staging.path)
  control.begin()
  try {
    await new Staging(task, control, report, staging).run()
  } finally {
    control.end()
    close(staging)
  }
}

class Staging {
  private readonly task: StageLayerTask
  private readonly control: Control
  private readonly report: StageLayerReport
  private readonly stage: LayerStage
  private readonly lost = new Set<ByteString>()
  private readonly batch = new EntryEncoder()

  constructor(task: StageLayerTask, control: Control, report: StageLayerReport, staging: number) {
    this.task = task
    this.control = control
    this.report = report
    this.stage = new LayerStage(staging, {
      rules: task.rules,
      digests: task.digests,
      onEntry: (entry) => this.add(entry),
      onLostXattr: (entry, name) => this.lose(entry, name)
    })
  }

  async run(): Promise<void> {
    const { task, control } = this
    const reader = new TarReader(this.stage, task.limits.tar)
    try {
      await readVerifiedTar(task, control, {
        chunk: (chunk) => reader.push(chunk),
        end: () => reader.finish()
      })
      this.flush()
    } finally {
      this.stage.close()
    }
  }

  private add(entry: StagedEntry): void {
    this.batch.add(entry)
    if (this.batch.count >= BATCH) this.flush()
  }

  private flush(): void {
    const { control, task } = this
    control.addEntries(task.layer, this.batch.count)
    checkLimit('entries', control.entries, task.limits.entries)
    this.report.entries(this.batch.take())
  }

  private lose(entry: StagedEntry, name: ByteString): void {
    if (this.lost.has(name)) return
    this.lost.add(name)
    this.report.lostXattr(entry.path, name)
  }
}
