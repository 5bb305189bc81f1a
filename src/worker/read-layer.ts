/** The task of one thread: a layer from its blob to a sink, verified to the last byte. `byte-stage.ts` shows its parts. */
import type { ByteString, OwnedBytes } from '../bytes.ts'
import type { EntryRules } from '../plan/plan-entry.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { TarLimits } from '../tar/limits.ts'
import { TarReader } from '../tar/reader.ts'
import { BodyDigests } from './body-digests.ts'
import type { Control } from './control.ts'
import { EntryEncoder } from './entry-codec.ts'
import { hashesFiles } from './hashes-files.ts'
import { LayerEntries } from './layer-entries.ts'
import { checkLimit } from './limit.ts'
import { StoppedEarly, type LayerSink } from '../rootfs/layer-sink.ts'
import { openSink, type SinkDescription } from './sinks.ts'
import type { TarConsumer } from './read-line.ts'
import { limited, TarSizeCheck, type TarSizeLimits } from './tar-limits.ts'
import { readVerifiedTar, type VerifiedTarReport, type VerifiedTarTask } from './verified-tar.ts'

export interface ReadLayerTask extends VerifiedTarTask {
  type: 'read-layer'
  sink: SinkDescription
  rules: EntryRules
  limits: LayerLimits
}

/** The limit on entries applies to all layers of the image together. */
export interface LayerLimits extends TarSizeLimits {
  entries: number
  tar: Partial<TarLimits>
}

export interface ReadLayerReport extends VerifiedTarReport {
  /** Encoded entries, in archive order. They must not be trusted before the task has ended successfully. */
  entries: (batch: OwnedBytes) => void
  /** An attribute that this file system cannot hold; reported once for each name. */
  lostXattr: (entry: ByteString, xattr: ByteString) => void
}

/** @throws as `readVerifiedTar` does, and TAR_INVALID, ENTRY_INVALID, ID_NOT_MAPPED, SYSCALL_FAILED */
export async function readLayer(
  task: ReadLayerTask,
  control: Control,
  report: ReadLayerReport
): Promise<void> {
  const size = new TarSizeCheck(control, task.layer, task.source.size, task.limits)
  const sink = openSink(task.sink, {
    lostXattr: onceForEachName(report.lostXattr),
    holes: (bytes) => size.addHoles(bytes)
  })
  try {
    await readInto(sink, { ...task, digests: hashesFiles(task.sink) }, control, report, size)
    sink.finish?.()
  } finally {
    sink.close()
  }
}

/** How a layer is read, whatever its sink. */
export interface EntriesTask extends VerifiedTarTask {
  rules: EntryRules
  limits: LayerLimits
  /** Have the files hashed that the sink asks for. */
  digests: boolean
}

/** Feeds a layer to a sink that is open and stays so. @param around what else takes the tar */
export async function readInto(
  sink: LayerSink,
  task: EntriesTask,
  control: Control,
  report: ReadLayerReport,
  size: TarSizeCheck = new TarSizeCheck(control, task.layer, task.source.size, task.limits),
  around: (consumer: TarConsumer) => TarConsumer = (consumer) => consumer
): Promise<void> {
  const batches = new Batches(task, control, report)
  const add = (entry: StagedEntry): void => batches.add(entry)
  const holes = (bytes: number): void => size.addHoles(bytes)
  const bodies = task.digests ? new BodyDigests({ entry: add, holes }) : undefined
  const entries = new LayerEntries(task.rules, sink, add, bodies)
  const reader = limited(size, new TarReader(entries, task.limits.tar))
  try {
    await readVerifiedTar(task, control, report, around({ ...reader, bodies }))
  } catch (error) {
    if (error instanceof StoppedEarly) batches.flush()
    throw error
  }
  batches.flush()
}

/** Large enough to make a message cheap per entry, small enough to keep memory flat. */
const BATCH = 1024

class Batches {
  private readonly task: EntriesTask
  private readonly control: Control
  private readonly report: ReadLayerReport
  private readonly batch = new EntryEncoder()

  constructor(task: EntriesTask, control: Control, report: ReadLayerReport) {
    this.task = task
    this.control = control
    this.report = report
  }

  add(entry: StagedEntry): void {
    this.batch.add(entry)
    if (this.batch.count >= BATCH) this.flush()
  }

  flush(): void {
    const { control, task } = this
    control.addEntries(task.layer, this.batch.count)
    checkLimit('entries', control.entries, task.limits.entries)
    this.report.entries(this.batch.take())
  }
}

function onceForEachName(
  tell: ReadLayerReport['lostXattr']
): (entry: StagedEntry, name: ByteString) => void {
  const told = new Set<ByteString>()
  return (entry, name) => {
    if (told.has(name)) return
    told.add(name)
    tell(entry.path, name)
  }
}
