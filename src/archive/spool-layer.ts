/** Compresses what cannot be a layer as it is, into a temporary file without a name. */
import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { createCompressor } from '../codec/compress.ts'
import { Gathered } from '../codec/gathered.ts'
import { finishDigest, type Digest } from '../image/digest.ts'
import { spool, type UnpackedArchive } from './spool-archive.ts'

/** A layer that is compressed with gzip, as a repack compresses it; open until it is closed. */
export interface SpooledLayer extends UnpackedArchive {
  digest: Digest
  /** In bytes. */
  size: number
}

/** @param chunks the tar of the layer; each is valid until the next. @throws SYSCALL_FAILED, and what the chunks throw */
export async function spoolLayer(chunks: AsyncIterable<Buffer>): Promise<SpooledLayer> {
  const hash = createHash('sha256')
  let size = 0
  const watched = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of compressed(chunks)) {
      hash.update(chunk)
      size += chunk.length
      yield chunk
    }
  }
  const file = await spool(watched(), Infinity)
  return { ...file, digest: finishDigest(hash, 'sha256'), size }
}

async function* compressed(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const ready: Buffer[] = []
  const threads = availableParallelism()
  const compressor = createCompressor('gzip', { threads }, (bytes) => void ready.push(bytes))
  try {
    const gathered = new Gathered((bytes) => compressor.write(bytes))
    for await (const chunk of chunks) {
      await gathered.write(chunk)
      yield* ready.splice(0)
    }
    await gathered.flush()
    await compressor.end()
    yield* ready
  } finally {
    await compressor.stop()
  }
}
