/** Writes the merged tree of an image as one archive. */
import { createNewArchive } from '../archive/new-archive.ts'
import { createArchiveCompressor } from '../codec/archive-compressor.ts'
import { Gathered } from '../codec/gathered.ts'
import type { ArchiveFormat } from './archive-suffix.ts'
import type { ImageToWrite, WriterHelp } from './transport.ts'

/** The tar depends only on the image; how it is compressed depends on the compressor, too. @throws ARCHIVE_EXISTS */
export async function writeTar(
  path: string,
  format: ArchiveFormat,
  image: ImageToWrite,
  help: WriterHelp
): Promise<void> {
  const file = createNewArchive(path, help.onLeftover)
  try {
    const compressor = createArchiveCompressor(format, help.processors, (bytes) =>
      file.write(bytes)
    )
    try {
      const gathered = new Gathered(async (bytes) => {
        await help.breathe()
        return compressor.write(bytes)
      })
      await help.writeTree(image, (bytes) => gathered.write(bytes))
      await gathered.flush()
      await compressor.end()
    } finally {
      await compressor.stop()
    }
    file.publish()
  } finally {
    file.discard()
  }
}
