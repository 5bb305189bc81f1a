/** The task of one thread: a layer from its blob to its EROFS image, verified to the last byte. */
import { ErofsSink, type ErofsLayer, type NewErofsImage } from '../rootfs/erofs-sink.ts'
import type { Control } from './control.ts'
import { readInto, type EntriesTask, type ReadLayerReport } from './read-layer.ts'

export interface ErofsLayerTask extends Omit<EntriesTask, 'digests'> {
  type: 'erofs-layer'
  image: NewErofsImage
}

/** Reports the entries of the layer as an index has them. @throws as `readLayer`, and LIMIT_EXCEEDED */
export async function erofsLayer(
  task: ErofsLayerTask,
  control: Control,
  report: ReadLayerReport
): Promise<ErofsLayer> {
  const sink = new ErofsSink(task.image)
  try {
    await readInto(sink, { ...task, digests: false }, control, report)
    return sink.finish()
  } finally {
    sink.close()
  }
}
