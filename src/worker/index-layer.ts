/** The task of reading a layer once, so that any part of it can be read and verified later. */
import { createHash } from 'node:crypto'
import type { Decode, TarConsumer } from './read-line.ts'
import { decompress } from '../codec/decompress.ts'
import { deflated } from '../codec/deflated.ts'
import { gunzipWithRestarts } from '../codec/gunzip-blocks.ts'
import { replay } from '../codec/source.ts'
import { unzstd } from '../codec/unzstd.ts'
import type { Compression } from '../image/media-types.ts'
import { encodeTail, INDEX_MAGIC } from '../random-access/index-file.ts'
import { encodeSpans, SpanRecorder, type Place } from '../random-access/span-table.ts'
import { ZeroRuns } from '../random-access/zero-runs.ts'
import { IndexSink } from '../rootfs/index-sink.ts'
import { writeAllAt } from '../sys/files.ts'
import { addressOf } from '../sys/libc.ts'
import type { Control } from './control.ts'
import { readInto, type EntriesTask, type ReadLayerReport } from './read-layer.ts'
import { TarSizeCheck } from './tar-limits.ts'

export interface IndexLayerTask extends Omit<EntriesTask, 'digests'> {
  type: 'index-layer'
  /** Descriptor of a new file, which becomes the index once the task has succeeded. */
  file: number
  /** Bytes that a span should have. */
  span: number
}

/** @throws what `readLayer` throws */
export async function indexLayer(
  task: IndexLayerTask,
  control: Control,
  report: ReadLayerReport
): Promise<void> {
  const writer = new IndexWriter(task)
  const size = new TarSizeCheck(control, task.layer, task.source.size, task.limits)
  const sink = new IndexSink(
    { kind: 'index' },
    { lostXattr: () => undefined, holes: () => undefined }
  )
  const keeping: ReadLayerReport = {
    ...report,
    entries: (batch) => {
      writer.entries(batch)
      report.entries(batch)
    }
  }
  const around = (consumer: TarConsumer): TarConsumer => writer.around(consumer)
  await readInto(sink, { ...task, digests: false }, control, keeping, size, around)
  writer.finish()
}

class IndexWriter {
  private readonly task: IndexLayerTask
  private readonly runs = new ZeroRuns()
  private readonly batches: Place[] = []
  private readonly entriesHash = createHash('sha256')
  private recorder: SpanRecorder | undefined
  private compression: Compression = 'none'
  private end = 0

  constructor(task: IndexLayerTask) {
    this.task = task
    this.append(INDEX_MAGIC)
  }

  entries(batch: Uint8Array): void {
    const stored = deflated(batch)
    this.entriesHash.update(stored)
    this.batches.push(this.append(stored))
  }

  around(consumer: TarConsumer): TarConsumer {
    return {
      ...consumer,
      decode: (...given) => this.decode(...given),
      push: (chunk) => {
        consumer.push(chunk)
        this.recorder!.push(chunk)
        this.runs.push(chunk)
      }
    }
  }

  finish(): void {
    const { task, runs } = this
    const recorder = this.recorder!
    recorder.finish()
    runs.finish()
    this.append(
      encodeTail({
        blob: task.source.digest,
        diffId: task.diffId,
        compression: this.compression,
        size: recorder.position,
        entries: this.batches,
        entriesDigest: this.entriesHash.digest('hex'),
        runs: Float64Array.from(runs.found),
        spans: encodeSpans(recorder.spans)
      })
    )
  }

  private decode(...given: Parameters<Decode>): ReturnType<Decode> {
    const [input, compression] = given
    this.compression = compression
    const recorder = new SpanRecorder(
      this.task.span,
      (window) => this.window(window),
      compression === 'none'
    )
    this.recorder = recorder
    const source = replay(undefined, () => input.read())
    if (compression === 'gzip') {
      const chunks = gunzipWithRestarts(source, recorder)
      if (chunks !== undefined) return asynchronous(chunks)
    }
    recorder.restart(BEGINNING)
    if (compression !== 'zstd') return decompress(...given)
    return unzstd(source, (offset) => {
      if (recorder.wants(0)) recorder.restart({ bits: 8 * offset, window: NOTHING })
    })
  }

  /** Contents of layers shrink, and so do windows. */
  private window(window: Buffer): Place {
    return window.length === 0 ? { offset: 0, length: 0 } : this.append(deflated(window))
  }

  private append(bytes: Buffer): Place {
    const place = { offset: this.end, length: bytes.length }
    writeAllAt(this.task.file, addressOf(bytes), bytes.length, this.end)
    this.end += bytes.length
    return place
  }
}

const NOTHING = Buffer.alloc(0)
const BEGINNING = { bits: 0, window: NOTHING }

async function* asynchronous(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield await Promise.resolve(chunk)
}
