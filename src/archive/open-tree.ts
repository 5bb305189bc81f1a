/** Opens an archive of a root file system as the layer that it can be. */
import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import { probeDecompressors } from '../codec/choice.ts'
import { packedWith, type PackedFormat } from '../codec/content.ts'
import { decompress } from '../codec/decompress.ts'
import { OciUnpackError, withFacts } from '../errors.ts'
import { finishDigest, type Digest } from '../image/digest.ts'
import type { Compression } from '../image/media-types.ts'
import { openRegular, pread } from '../store/file.ts'
import type { RegularFile } from '../sys/open-regular.ts'
import { resolved } from './archive-path.ts'
import { limited, limitOf, unpackedChunks } from './spool-archive.ts'
import { spoolLayer } from './spool-layer.ts'
import { rewriteTree, type TreeChange } from './tree-rewrite.ts'
import { TreeScan, type ScannedTree } from './tree-scan.ts'
import { damagedArchive } from './unpack-archive.ts'

/** A layer that was read once. Whoever reads it again has to verify it, because the file may change. */
export interface TreeLayer extends Omit<ScannedTree, 'change'> {
  /** The absolute path of the archive, with links resolved. */
  path: string
  digest: Digest
  /** In bytes. */
  size: number
  compression: Compression
  /** The layer, if it is not the archive itself. */
  fd: number | undefined
  close(): void
}

const CHUNK_BYTES = 1024 * 1024
const HEAD_BYTES = 512

/**
 * Reads the archive to its end. One that is compressed with gzip or zstd, or not at all, is a layer as it is. One that is
 * compressed with bzip2 or xz, or whose members have to be written anew, becomes a layer in a temporary file without a name.
 * @throws ARCHIVE_INVALID, TAR_INVALID, ENTRY_INVALID, LIMIT_EXCEEDED, COMPRESSION_INVALID, DECOMPRESSOR_UNAVAILABLE,
 * DECOMPRESSOR_FAILED, SYSCALL_FAILED, ABORTED
 */
export async function openTree(
  operatorPath: string,
  signal: AbortSignal | undefined
): Promise<TreeLayer> {
  const path = resolved(operatorPath)
  const file = openRegular(path, 'refused')
  if (typeof file === 'string') throw notFile(path)
  try {
    const format = formatOf(file, path)
    const { change, ...layer } =
      format === 'xz' || format === 'bzip2'
        ? await readSpooled(file, path, format, signal)
        : await readInPlace(file, path, format ?? 'none', signal)
    if (change === undefined) return { path, ...layer }
    return { path, ...(await readRewritten(file, path, layer, change, signal)) }
  } catch (error) {
    throw withFacts(damagedArchive(error), { file: path })
  } finally {
    closeSync(file.fd)
  }
}

type Layer = Omit<TreeLayer, 'path'>
type FirstLayer = Layer & Pick<ScannedTree, 'change'>

async function readInPlace(
  { fd, size }: RegularFile,
  path: string,
  compression: Compression,
  signal: AbortSignal | undefined
): Promise<FirstLayer> {
  const scan = new TreeScan()
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  let position = 0
  const read = (): Buffer | undefined => {
    const length = pread(fd, buffer, CHUNK_BYTES, position, path)
    const chunk = buffer.subarray(0, length)
    position += length
    if (compression !== 'none') hash.update(chunk)
    return length === 0 ? undefined : chunk
  }
  const control = { aborted: () => signal?.aborted === true }
  const choice = probeDecompressors('auto', process.env)
  for await (const chunk of decompress({ fd, size, read }, compression, choice, control)) {
    scan.push(chunk)
    if (compression === 'none' && scan.hasFailed) break
    await turn()
  }
  const scanned = scan.finish()
  const digest = compression === 'none' ? scanned.diffId : finishDigest(hash, 'sha256')
  return { ...scanned, digest, size: position, compression, fd: undefined, close: () => undefined }
}

async function readSpooled(
  file: RegularFile,
  path: string,
  format: PackedFormat,
  signal: AbortSignal | undefined
): Promise<FirstLayer> {
  const scan = new TreeScan()
  const chunks = limited(unpackedChunks(file, path, format, signal), limitOf(file))
  const spooled = await spoolLayer(each(chunks, (chunk) => scan.push(chunk)))
  try {
    return { ...scan.finish(), ...spooled, compression: 'gzip' }
  } catch (error) {
    spooled.close()
    throw error
  }
}

/** Reads the archive a second time. A layer that was made of it before is of no use then. */
async function readRewritten(
  file: RegularFile,
  path: string,
  first: Layer,
  change: TreeChange,
  signal: AbortSignal | undefined
): Promise<Layer> {
  const { architecture, warnings, compression, size, fd = file.fd } = first
  try {
    const hash = createHash('sha256')
    const chunks = rewriteTree(unpackedChunks({ fd, size }, path, compression, signal), change)
    const spooled = await spoolLayer(each(chunks, (chunk) => hash.update(chunk)))
    const diffId = finishDigest(hash, 'sha256')
    return { architecture, warnings, diffId, ...spooled, compression: 'gzip' }
  } finally {
    first.close()
  }
}

async function* each(
  chunks: AsyncIterable<Buffer>,
  watch: (chunk: Buffer) => void
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    watch(chunk)
    yield chunk
  }
}

function formatOf({ fd }: RegularFile, path: string): PackedFormat | undefined {
  const head = Buffer.alloc(HEAD_BYTES)
  return packedWith(head.subarray(0, pread(fd, head, HEAD_BYTES, 0, path)))
}

/** Lets signals be delivered, since inflating and hashing are synchronous. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function notFile(path: string): OciUnpackError {
  return new OciUnpackError('ARCHIVE_INVALID', 'There is no archive at this path.', {
    facts: { file: path, found: 'not a regular file' },
    hint: 'Give the path of a tar file. To pack a directory: tar --numeric-owner --acls --xattrs -C DIRECTORY -cf FILE .'
  })
}
