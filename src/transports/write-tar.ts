/** Writes a tree as one archive. */
import { createNewArchive } from '../archive/new-archive.ts'
import { createArchiveCompressor } from '../codec/archive-compressor.ts'
import type { Compressor } from '../codec/compressor.ts'
import { Gathered } from '../codec/gathered.ts'
import type { ArchiveFormat } from './archive-suffix.ts'
import type { FillArchive, TreeWriterHelp } from './transport.ts'

/** The tar depends only on what fills it; how it is compressed depends on the compressor, too. @throws ARCHIVE_EXISTS */
export async function writeTar(
  { path, format }: { path: string; format: ArchiveFormat },
  fill: FillArchive,
  { breathe, processors, onLeftover }: TreeWriterHelp
): Promise<void> {
  const file = createNewArchive(path, onLeftover)
  try {
    const compressor = createArchiveCompressor(format, processors, (bytes) => file.write(bytes))
    try {
      const gathered = new Gathered(async (bytes) => {
        await breathe()
        return compressor.write(bytes)
      })
      await fill(gathered)
      await gathered.flush()
      await endOf(compressor, breathe)
    } finally {
      await compressor.stop()
    }
    file.publish()
  } finally {
    file.discard()
  }
}

const WAIT_MS = 50

/** A program may have much left to compress. */
async function endOf(compressor: Compressor, breathe: () => Promise<void>): Promise<void> {
  const end = compressor.end().then(() => true)
  // whoever stops meanwhile has an error of their own
  end.catch(() => undefined)
  while (!(await Promise.race([end, waited()]))) await breathe()
}

function waited(): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), WAIT_MS))
}
