/** What a file is that is not a tar archive, as far as its first bytes tell. */
import { OciUnpackError } from '../errors.ts'

/** Byte strings, and where they are. Sources: magic(5), and the formats' own documents. */
const MAGIC: readonly (readonly [what: string, at: number, magic: string])[] = [
  ['a cpio archive', 0, '07070'],
  ['a zip archive', 0, 'PK\x03\x04'],
  ['an ar archive or a Debian package', 0, '!<arch>'],
  ['an RPM package', 0, '\xed\xab\xee\xdb'],
  ['a 7z archive', 0, "7z\xbc\xaf'\x1c"],
  ['compressed with lz4', 0, '\x04"M\x18'],
  ['compressed with lzip', 0, 'LZIP'],
  ['compressed with lzop', 0, '\x89LZO'],
  ['compressed with lzma', 0, ']\0\0'],
  ['compressed with compress', 0, '\x1f\x9d'],
  ['compressed more than once', 0, '\x1f\x8b'],
  ['compressed more than once', 0, '(\xb5/\xfd'],
  ['compressed more than once', 0, '\xfd7zXZ'],
  ['compressed more than once', 0, 'BZh'],
  ['a squashfs image', 0, 'hsqs'],
  ['a qcow2 disk', 0, 'QFI\xfb'],
  ['a disk with a partition table', 510, 'U\xaa']
]

/** How many of the first bytes `otherFormat` needs. */
export const FORMAT_BYTES = 512

export function otherFormat(head: Buffer): string {
  const text = head.toString('latin1', 0, FORMAT_BYTES)
  return MAGIC.find(([, at, magic]) => text.startsWith(magic, at))?.[0] ?? 'something else'
}

export function notTar(found: string): OciUnpackError {
  return new OciUnpackError('ARCHIVE_INVALID', 'The file is not a tar archive.', {
    facts: { found },
    hint: 'Give a tar archive of a root file system, uncompressed or compressed with gzip, bzip2, xz or zstd.'
  })
}
