/** Where the files of an uncompressed tar archive are inside it, found by reading only its headers. */
import { closeSync, fstatSync } from 'node:fs'
import { display, type ByteString } from '../bytes.ts'
import { packedWith } from '../codec/content.ts'
import { OciUnpackError, withFacts } from '../errors.ts'
import { openRegular, pread } from '../store/file.ts'
import type { EntryType, TarEntry } from '../tar/entry.ts'
import { TarReader } from '../tar/reader.ts'
import { notArchive, resolved } from './archive-path.ts'

export interface Member {
  type: EntryType
  /** Where a link leads, as the archive has it. */
  link: ByteString
  /** The first byte of the body. */
  offset: number
  /** The size of the body in the archive, in bytes. */
  length: number
  /** Whether the body is the plain content of the file, with no map of holes. */
  plain: boolean
  /** Later members of the same name, except for repeated directories and links. */
  rivals: Member[]
}

export interface Members {
  /** The absolute path of the archive, with links resolved. */
  path: string
  /** By clean relative path: without `./` in front or a slash at the end. */
  byName: ReadonlyMap<ByteString, Member>
}

const BLOCK_BYTES = 512
const HEAD_BYTES = 512

/** An image has a few hundred files at most. */
const MAX_MEMBERS = 100_000
const MAX_NAME_BYTES = 4096
const LIMITS = { paxBytes: 1 << 16, longNameBytes: 1 << 13, sparseExtents: 1 << 10 }

/**
 * Reads the headers of an archive.
 * @param unpacked the uncompressed archive, if the one at the path is compressed
 * @throws ARCHIVE_INVALID if it is not an uncompressed archive or a name leads out of it; TAR_INVALID if it is damaged
 */
export function readMembers(operatorPath: string, unpacked?: number): Members {
  const path = resolved(operatorPath)
  const file = unpacked === undefined ? openRegular(path, 'refused') : { fd: unpacked }
  if (typeof file === 'string') throw notArchive(path, file)
  try {
    assertUncompressed(file.fd, path)
    return { path, byName: new MemberReader(file.fd, path).read() }
  } catch (error) {
    throw withFacts(error, { file: path })
  } finally {
    if (unpacked === undefined) closeSync(file.fd)
  }
}

class MemberReader {
  private readonly fd: number
  private readonly path: string
  private readonly size: number
  private readonly members = new Map<ByteString, Member>()
  private readonly reader: TarReader
  private entry: TarEntry | undefined
  private count = 0

  constructor(fd: number, path: string) {
    this.fd = fd
    this.path = path
    this.size = fstatSync(fd).size
    const ignore = (): void => undefined
    const take = (entry: TarEntry): void => void (this.entry = entry)
    this.reader = new TarReader({ entry: take, data: ignore, end: ignore }, LIMITS)
  }

  read(): ReadonlyMap<ByteString, Member> {
    const block = Buffer.alloc(BLOCK_BYTES)
    let position = 0
    for (;;) {
      const length = pread(this.fd, block, BLOCK_BYTES, position, this.path)
      if (length === 0) break
      this.entry = undefined
      this.reader.push(Buffer.from(block.subarray(0, length)))
      position += length
      const left = this.reader.skip()
      this.add(position, left)
      position += left
    }
    this.reader.finish()
    return this.members
  }

  /** `left` bytes of body and padding follow the header that ends at `offset`. */
  private add(offset: number, left: number): void {
    const { entry } = this
    if (entry === undefined) return
    const name = cleanName(entry)
    const { type, link, size: length } = entry
    const member: Member = { type, link, offset, length, plain: left >= length, rivals: [] }
    if (member.plain && offset + length > this.size) throw cutShort(entry)
    if (++this.count > MAX_MEMBERS) throw tooManyMembers()
    const first = this.members.get(name)
    if (first === undefined) this.members.set(name, member)
    else if (!isRepeated(first, member)) first.rivals.push(member)
  }
}

/** Whether a member may be repeated: an equal directory or link. The contents of files are not compared here. */
function isRepeated(first: Member, again: Member): boolean {
  return first.type !== 'file' && first.type === again.type && first.link === again.link
}

function cleanName(entry: TarEntry): ByteString {
  if (entry.name.length > MAX_NAME_BYTES) throw refused(entry, 'The name of a member is too long.')
  const parts = entry.name.split('/').filter((part) => part !== '' && part !== '.')
  if (entry.name.startsWith('/') || parts.includes('..'))
    throw refused(entry, 'The name of a member leads out of the archive.')
  return parts.join('/')
}

function assertUncompressed(fd: number, path: string): void {
  const head = Buffer.alloc(HEAD_BYTES)
  const length = pread(fd, head, HEAD_BYTES, 0, path)
  const format = packedWith(head.subarray(0, length))
  if (format === undefined) return
  throw new OciUnpackError('ARCHIVE_INVALID', 'The archive is not a tar file, but compressed.', {
    facts: { file: path, found: format },
    hint: `It is compressed more than once. Decompress it first, for example: ${format} -dc ${path} >image.tar`
  })
}

function refused(entry: TarEntry, message: string): OciUnpackError {
  const name = display(entry.name)
  const shown = name.length <= 200 ? name : `${name.slice(0, 200)}…`
  return new OciUnpackError('ARCHIVE_INVALID', message, {
    facts: { entry: shown, offset: entry.offset },
    hint: 'Tools that save images do not make such archives. Save the image again with a tool that you trust.'
  })
}

function cutShort(entry: TarEntry): OciUnpackError {
  return new OciUnpackError('TAR_INVALID', 'The tar archive is cut short.', {
    facts: { entry: display(entry.name), offset: entry.offset }
  })
}

function tooManyMembers(): OciUnpackError {
  return new OciUnpackError('LIMIT_EXCEEDED', 'The archive has too many members.', {
    facts: { expected: `at most ${MAX_MEMBERS}` }
  })
}
