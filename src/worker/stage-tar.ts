/** The stages that put a tar into a staging directory as it is made, in the thread that makes it. */
import type { EntryRules } from '../plan/plan-entry.ts'
import type { StagedEntry } from '../plan/staged-entry.ts'
import type { SinkReport } from '../rootfs/layer-sink.ts'
import type { StagingDescription } from '../rootfs/layer-stage.ts'
import { TarReader } from '../tar/reader.ts'
import type { ByteStage } from './byte-stage.ts'
import { LayerEntries } from './layer-entries.ts'
import { openSink } from './sinks.ts'

export interface TarStage extends ByteStage {
  /** What was staged stays. */
  close(): void
}

export interface TarStageReport extends Pick<SinkReport, 'lostXattr'> {
  /** Receives, and then owns, each entry when it is staged. */
  entry: (entry: StagedEntry) => void
}

/** Its methods throw ENTRY_INVALID, ID_NOT_MAPPED, LIMIT_EXCEEDED and SYSCALL_FAILED. The caller must call `close`. */
export function stageTar(
  description: StagingDescription,
  rules: EntryRules,
  { entry, lostXattr }: TarStageReport
): TarStage {
  const sink = openSink(description, { lostXattr, holes: () => undefined })
  const reader = new TarReader(new LayerEntries(rules, sink, entry))
  return {
    push: (bytes) => reader.push(bytes),
    finish: () => reader.finish(),
    close: () => sink.close()
  }
}
