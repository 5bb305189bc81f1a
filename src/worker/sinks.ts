/** The kinds of sinks that a task can name. A new one needs its own file and a line in both lists. */
import { BodySink, type BodiesDescription } from '../rootfs/body-sink.ts'
import { DigestSink, type DigestsDescription } from '../rootfs/digest-sink.ts'
import { ErofsSink, type ErofsDescription } from '../rootfs/erofs-sink.ts'
import { IndexSink, type IndexDescription } from '../rootfs/index-sink.ts'
import type { LayerSink, SinkReport } from '../rootfs/layer-sink.ts'
import { LayerStage, type StagingDescription } from '../rootfs/layer-stage.ts'

export type SinkDescription =
  StagingDescription | ErofsDescription | IndexDescription | BodiesDescription | DigestsDescription

/** @throws SYSCALL_FAILED */
export function openSink(description: SinkDescription, report: SinkReport): LayerSink {
  switch (description.kind) {
    case 'staging':
      return new LayerStage(description, report)
    case 'erofs':
      return new ErofsSink(description)
    case 'index':
      return new IndexSink(description, report)
    case 'bodies':
      return new BodySink(description)
    case 'digests':
      return new DigestSink(description)
  }
}
