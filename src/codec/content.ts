/** What the first bytes of a layer say about its compression. */
import { OciUnpackError } from '../errors.ts'
import type { Compression } from '../image/media-types.ts'

type Content = Compression | 'tar' | 'xz' | 'bzip2' | 'empty' | 'unknown'

const MAGIC: readonly (readonly [Content, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['bzip2', [0x42, 0x5a, 0x68]]
]

const NAMES: Readonly<Record<Content, string>> = {
  none: 'not compressed',
  gzip: 'gzip',
  zstd: 'zstd',
  tar: 'an uncompressed tar archive',
  xz: 'xz',
  bzip2: 'bzip2',
  empty: 'empty',
  unknown: 'neither gzip, zstd, xz, bzip2 nor tar'
}

/**
 * The compression of a layer. Its media type should say so (image-spec layer.md), but some tools write a wrong one; then
 * the first bytes decide, as in Docker, podman and containerd. The diff ID proves the content in any case.
 */
export function compressionOf(head: Buffer | undefined, declared: Compression): Compression {
  const found = recognise(head)
  if (found === 'tar') return 'none'
  return found === 'gzip' || found === 'zstd' ? found : declared
}

/**
 * Gives a clear error if the first bytes of a blob contradict its compression.
 * @throws COMPRESSION_INVALID with what was expected and found
 */
export function assertContent(head: Buffer | undefined, compression: Compression): void {
  const found = recognise(head)
  if (compression === 'none' ? isPlain(found) : mayBe(head, compression)) return
  throw new OciUnpackError(
    'COMPRESSION_INVALID',
    found === 'empty'
      ? `The layer is empty, which is not ${NAMES[compression]}.`
      : `The layer's media type says ${NAMES[compression]}, but its content is ${NAMES[found]}.`,
    {
      facts: { expected: NAMES[compression], found: describe(head, found) },
      hint: 'The blob does not match the media type in the manifest. Build or copy the image again.'
    }
  )
}

/** How a file can be compressed. */
export type PackedFormat = 'gzip' | 'zstd' | 'xz' | 'bzip2'

/** The compression of a file, by its first bytes (at least 262, unless there are fewer). */
export function packedWith(head: Buffer): PackedFormat | undefined {
  const found = recognise(head)
  if (found === 'unknown' && isSkippable(head)) return 'zstd'
  return found === 'gzip' || found === 'zstd' || found === 'xz' || found === 'bzip2'
    ? found
    : undefined
}

function recognise(head: Buffer | undefined): Content {
  if (head === undefined || head.length === 0) return 'empty'
  // a tar archive begins with a file name, which may look like anything, so its magic is checked first
  if (head.toString('latin1', 257, 262) === 'ustar') return 'tar'
  return MAGIC.find(([, magic]) => magic.every((byte, at) => head[at] === byte))?.[0] ?? 'unknown'
}

function isPlain(found: Content): boolean {
  return found !== 'gzip' && found !== 'zstd'
}

/** A blob that is cut off within its magic number is left to the decoder, which reports that. */
function mayBe(head: Buffer | undefined, compression: 'gzip' | 'zstd'): boolean {
  if (head === undefined || head.length === 0) return false
  const begins = (magic: readonly number[]) =>
    magic.every((byte, at) => byte === (head[at] ?? byte))
  if (compression === 'zstd' && isSkippable(head)) return true
  return MAGIC.some(([content, magic]) => content === compression && begins(magic))
}

/** RFC 8878, 3.1.2: 0x184D2A50 to 0x184D2A5F. */
function isSkippable(head: Buffer): boolean {
  return head.length >= 4 && head.readUInt32LE(0) >>> 4 === 0x184d2a5
}

function describe(head: Buffer | undefined, found: Content): string {
  if (head === undefined || found === 'empty') return NAMES.empty
  return `${NAMES[found]} (${head.toString('hex', 0, 6)}…)`
}
