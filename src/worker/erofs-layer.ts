/** The task of one thread: a layer from its blob to its EROFS image, verified to the last byte. */
import { ErofsSink, type ErofsLayer, type NewErofsImage } from '../rootfs/erofs-sink.ts'
import { hashFile } from '../rootfs/hash-file.ts'
import type { Control } from './control.ts'
import { readInto, type EntriesTask, type ReadLayerReport } from './read-layer.ts'

export interface ErofsLayerTask extends Omit<EntriesTask, 'digests'> {
  type: 'erofs-layer'
  image: NewErofsImage
}

export interface ErofsLayerResult extends ErofsLayer {
  /** SHA-256 of the image, in hex. */
  sha256: string
}

/** Reports the entries of the layer as an index has them. @throws as `readLayer`, and LIMIT_EXCEEDED */
export async function erofsLayer(
  task: ErofsLayerTask,
  control: Control,
  report: ReadLayerReport
): Promise<ErofsLayerResult> {
  const sink = new ErofsSink(task.image)
  try {
    await readInto(sink, { ...task, digests: false }, control, report)
    const { directory, name } = task.image
    return { ...sink.finish(), sha256: hashFile(directory, name, () => control.throwIfAborted()) }
  } finally {
    sink.close()
  }
}
