/** Reads the entries of a directory. */
import { display, fromBuffer, type ByteString } from '../bytes.ts'
import { DIRENT_SIZE, FILE_TYPES, MAX_NAME, type FileType } from './format.ts'
import { invalid, readU64 } from './read-source.ts'

export interface ImageDirent {
  name: ByteString
  nid: number
  type: FileType
}

/** The entries in blocks of a directory, `.` and `..` among them, in strictly rising order. @throws EROFS_INVALID */
export function* readDirents(blocks: Iterable<Buffer>): Generator<ImageDirent> {
  let last = ''
  for (const block of blocks)
    for (const dirent of readBlock(block)) {
      if (dirent.name <= last)
        throw invalid('the names of a directory are not in order', { found: display(dirent.name) })
      last = dirent.name
      yield dirent
    }
}

function readBlock(block: Buffer): ImageDirent[] {
  if (block.length < DIRENT_SIZE) throw invalid('a directory ends within an entry')
  const first = block.readUInt16LE(NAME_AT)
  const count = first / DIRENT_SIZE
  if (!Number.isInteger(count) || count === 0 || first >= block.length)
    throw invalid('a block of a directory has no sound table')
  return Array.from({ length: count }, (_, i) => {
    const at = i * DIRENT_SIZE
    const start = block.readUInt16LE(at + NAME_AT)
    const end =
      i + 1 < count ? block.readUInt16LE(at + DIRENT_SIZE + NAME_AT) : endOfLast(block, start)
    return {
      name: readName(block, start, end),
      nid: readU64(block, at, 'the number of an inode'),
      type: typeOf(block.readUInt8(at + TYPE_AT))
    }
  })
}

const NAME_AT = 8
const TYPE_AT = 10

/** The last name ends with its block, or before zeros up to the end. */
function endOfLast(block: Buffer, start: number): number {
  const nul = block.indexOf(0, start)
  if (nul < 0) return block.length
  if (block.subarray(nul).some((byte) => byte !== 0))
    throw invalid('something follows the names of a directory')
  return nul
}

function readName(block: Buffer, start: number, end: number): ByteString {
  if (!(start < end && end <= block.length && end - start <= MAX_NAME))
    throw invalid('a name in a directory has a wrong length')
  const name = fromBuffer(block.subarray(start, end))
  if (/[/\0]/.test(name))
    throw invalid('a name in a directory contains a slash or NUL', { found: display(name) })
  return name
}

function typeOf(dirent: number): FileType {
  const type = TYPES.get(dirent)
  if (type === undefined) throw invalid('an entry of a directory has an unknown type')
  return type
}

const TYPES = new Map(
  Object.entries(FILE_TYPES).map(([type, { dirent }]) => [dirent, type as FileType])
)
