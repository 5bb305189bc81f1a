/** The task of reading a layer and writing one file of it, while everything is verified. */
import {
  ExportSink,
  HEAD_BYTES,
  TAIL_BYTES,
  type WantedBody,
  type WrittenBody
} from '../rootfs/export-sink.ts'
import { StoppedEarly } from '../rootfs/layer-sink.ts'
import { outputWriter, type OutputDescription } from '../rootfs/output-writer.ts'
import type { Control } from './control.ts'
import { readInto, type EntriesTask, type ReadLayerReport } from './read-layer.ts'

export interface ExportBodyTask extends Omit<EntriesTask, 'digests'> {
  type: 'export-body'
  wanted: WantedBody
  /** Undefined: the file is only looked at. */
  output: OutputDescription | undefined
  /** Read no further than the file. */
  stopEarly: boolean
}

export interface ExportedBody extends WrittenBody {
  /** The first 4096 bytes, and the last 512, of a file that has as many. */
  head: Uint8Array
  tail: Uint8Array
  /** Whether the layer was verified. Otherwise nothing may be trusted. */
  isVerified: boolean
}

/** Undefined if there is no such file. @throws what `readLayer` throws */
export async function exportBody(
  task: ExportBodyTask,
  control: Control,
  report: ReadLayerReport
): Promise<ExportedBody | undefined> {
  const { output, wanted, stopEarly } = task
  const pause = (): void => control.throwIfAborted()
  const writing = output && { fd: output.fd, writer: outputWriter(output, pause) }
  const sink = new ExportSink(wanted, writing, stopEarly)
  const isVerified = await isRead(sink, task, control, report)
  const { written, head, tail } = sink
  if (written === undefined) return undefined
  return {
    ...written,
    head: head.subarray(0, Math.min(HEAD_BYTES, written.size)),
    tail: tail.subarray(Math.max(0, TAIL_BYTES - written.size)),
    isVerified
  }
}

async function isRead(
  sink: ExportSink,
  task: ExportBodyTask,
  control: Control,
  report: ReadLayerReport
): Promise<boolean> {
  try {
    await readInto(sink, { ...task, digests: false }, control, report)
    return true
  } catch (error) {
    if (error instanceof StoppedEarly) return false
    throw error
  }
}
