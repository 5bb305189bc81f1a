/** The tar of a layer that was verified before, for whoever writes it or parts of it somewhere. */
import { actualContent } from '../codec/actual-compression.ts'
import { decompress } from '../codec/decompress.ts'
import { layerCompression } from '../image/media-types.ts'
import type { Descriptor } from '../image/types.ts'
import { blamedOn } from '../store/blamed-blob.ts'
import { openBlob } from '../store/blob.ts'
import type { ImageSource } from '../store/image-source.ts'
import type { WriterHelp } from './transport.ts'

/**
 * Chunks, each valid until the next. The blob is verified again on the way, because it may have changed: the bytes may be
 * trusted once the loop has ended without an error.
 * @throws BLOB_*, COMPRESSION_INVALID, and what `breathe` throws
 */
export async function* layerTar(
  source: ImageSource,
  descriptor: Descriptor,
  { decompressor, breathe }: Pick<WriterHelp, 'decompressor' | 'breathe'>
): AsyncGenerator<Buffer> {
  const blob = openBlob(source.blobSource(descriptor))
  try {
    const { input, compression } = actualContent(blob, layerCompression(descriptor.mediaType))
    for await (const chunk of decompress(input, compression, decompressor)) {
      await breathe()
      yield chunk
    }
    blob.verify()
  } catch (error) {
    throw blamedOn(blob, error)
  } finally {
    blob.close()
  }
}
