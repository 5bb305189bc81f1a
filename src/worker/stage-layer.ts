/**
 * The task of one thread: a layer from its blob to staged objects, verified to the last byte.
 * blob → digest → decompress → diff ID → tar entries → staging.
 */
import { createHash } from 'node:crypto'
import { fromText, type ByteString } from '../bytes.ts'
import type { DecompressorChoice } from '../codec/choice.ts'
import type { Compression } from '../codec/content.ts'
import { decompress } from '../codec/decompress.ts'
import type { CompressedInput } from '../codec/source.ts'
import { aborted, OciUnpackError } from '../errors.ts'
import { digestAlgorithm, type Digest } from '../image/digest.ts'
import type { EntryRules } from '../plan/policy.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import { LayerStage } from '../rootfs/layer-stage.ts'
import { openBlob, type BlobSource, type VerifiedBlob } from '../store/blob.ts'
import { close, openOperatorDirectory } from '../sys/files.ts'
import { TarReader } from '../tar/reader.ts'
import type { TarLimits } from '../tar/limits.ts'
import type { Control } from './control.ts'
import { EntryEncoder } from './entry-codec.ts'

export interface StageLayerTask {
  type: 'stage-layer'
  layer: number
  /** An empty directory, of this layer alone. */
  staging: string
  source: BlobSource
  compression: Compression
  diffId: Digest
  decompressor: DecompressorChoice
  rules: EntryRules
  /** Hash every file for the manifest. */
  digests: boolean
  limits: StageLimits
}

/** Totals are over all layers of the image; sizes in bytes. */
export interface StageLimits {
  entries: number
  unpackedBytes: number
  /** Bytes of tar for each compressed byte, in any one layer. */
  ratio: number
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
/** Below this many bytes of tar the ratio says nothing. */
const RATIO_FLOOR = 64 * 1024 * 1024

export async function stageLayer(
  task: StageLayerTask,
  control: Control,
  report: StageLayerReport
): Promise<void> {
  const staging = openOperatorDirectory(fromText(task.staging))
  try {
    const blob = openBlob(task.source)
    try {
      await new Staging(task, control, report, staging).run(blob)
    } finally {
      blob.close()
    }
  } finally {
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

  async run(blob: VerifiedBlob): Promise<void> {
    const { task } = this
    const diffHash = isSameBytes(task) ? undefined : createHash(digestAlgorithm(task.diffId))
    const reader = new TarReader(this.stage, task.limits.tar)
    try {
      for await (const chunk of decompress(
        this.counted(blob),
        task.compression,
        task.decompressor,
        this.control
      )) {
        this.countUnpacked(chunk.length)
        diffHash?.update(chunk)
        reader.push(chunk)
      }
      reader.finish()
      blob.verify()
      if (diffHash !== undefined) checkDiffId(task.diffId, diffHash.digest('hex'))
      this.flush()
    } finally {
      this.stage.close()
    }
  }

  private counted(blob: VerifiedBlob): CompressedInput {
    const { control, task } = this
    return {
      fd: blob.fd,
      size: blob.size,
      read() {
        const chunk = blob.read()
        if (chunk !== undefined) control.addRead(task.layer, chunk.length)
        return chunk
      }
    }
  }

  private countUnpacked(bytes: number): void {
    const { control, task } = this
    if (control.aborted()) throw aborted()
    control.addUnpacked(task.layer, bytes)
    checkLimit('unpacked bytes', control.unpacked, task.limits.unpackedBytes)
    const { unpacked } = control.layer(task.layer)
    if (unpacked > RATIO_FLOOR)
      checkLimit(
        'ratio of unpacked to compressed bytes',
        unpacked / task.source.size,
        task.limits.ratio
      )
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

/** An uncompressed layer's blob is its tar: what proves the one digest proves the other. */
function isSameBytes(task: StageLayerTask): boolean {
  return task.compression === 'none' && task.source.digest === task.diffId
}

function checkDiffId(expected: Digest, hex: string): void {
  const found = `${digestAlgorithm(expected)}:${hex}`
  if (found === expected) return
  throw new OciUnpackError(
    'DIFF_ID_MISMATCH',
    'The uncompressed layer is not what the config says.',
    {
      facts: { expected, found },
      hint: 'The image is damaged or was put together wrongly; fetch or build it again.'
    }
  )
}

function checkLimit(what: string, found: number, limit: number): void {
  if (found <= limit) return
  throw new OciUnpackError('LIMIT_EXCEEDED', `The image has more ${what} than allowed.`, {
    facts: { expected: `at most ${limit}`, found: Math.ceil(found) },
    hint: 'If the image is to be trusted, raise the limit with the --max-… flags.'
  })
}
