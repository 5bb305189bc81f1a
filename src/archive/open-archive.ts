/** What all kinds of archive have in common: documents and blobs are members. */
import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import { OciUnpackError } from '../errors.ts'
import { finishDigest, type Digest } from '../image/digest.ts'
import { documentTooLarge, openRegular, pread } from '../store/file.ts'
import type { BlobPlace } from '../store/image-source.ts'
import { findMember } from './find-member.ts'
import { readMembers, type Member, type Members } from './members.ts'
import type { UnpackedArchive } from './spool-archive.ts'

const CHUNK_BYTES = 1024 * 1024

export class Archive {
  readonly path: string
  private readonly members: Members
  private readonly unpacked: UnpackedArchive | undefined
  private readonly unique = new Map<Member, boolean>()

  /**
   * @param unpacked the uncompressed archive, if the one at the path is compressed
   * @throws ARCHIVE_INVALID, TAR_INVALID, LIMIT_EXCEEDED
   */
  constructor(path: string, unpacked?: UnpackedArchive) {
    this.unpacked = unpacked
    this.members = readMembers(path, unpacked?.fd)
    this.path = this.members.path
  }

  /** Releases the uncompressed archive. */
  close(): void {
    this.unpacked?.close()
  }

  /** The bytes of a required file. @throws ARCHIVE_INVALID */
  size(name: string): number {
    return this.file(name).length
  }

  /** The first bytes of a required file, at most `limit`. @throws ARCHIVE_INVALID */
  head(name: string, limit: number): Buffer {
    const { offset, length } = this.file(name)
    return this.part(offset, Math.min(length, limit))
  }

  /** The content of a small required file. @throws ARCHIVE_INVALID, LIMIT_EXCEEDED */
  read(name: string, limit: number): Buffer {
    const { length } = this.file(name)
    if (length > limit) throw documentTooLarge(this.describe(name), length, limit)
    return this.head(name, length)
  }

  /** The SHA-256 of a required file. @throws ARCHIVE_INVALID */
  digest(name: string): Digest {
    return this.digestOf(this.file(name))
  }

  /**
   * Where the bytes of a blob's file are. A missing file gets a path below the archive, where nothing can exist.
   * @throws BLOB_INVALID if it is not a regular file
   */
  place(name: string): BlobPlace {
    const member = this.find(name)
    if (member === 'missing') return { path: this.describe(name) }
    if (typeof member === 'string') throw this.notFile('BLOB_INVALID', name, member)
    const { offset, length } = member
    const section = { offset, length }
    const { path, unpacked } = this
    return unpacked === undefined ? { path, section } : { path, section, fd: unpacked.fd }
  }

  /** How messages name a member. */
  describe(name: string): string {
    return `${this.path}/${name}`
  }

  /** Whether there is anything at this path. */
  has(name: string): boolean {
    return this.find(name) !== 'missing'
  }

  private part(offset: number, length: number): Buffer {
    return this.unpacked === undefined
      ? readPart(this.path, offset, length)
      : readFrom(this.unpacked.fd, offset, length, this.path)
  }

  private file(name: string): Member {
    const member = this.find(name)
    if (typeof member === 'string') throw this.notFile('ARCHIVE_INVALID', name, member)
    return member
  }

  /** A regular file, or what there is instead. */
  private find(name: string): Member | string {
    const member = findMember(this.members.byName, name)
    return typeof member === 'string' ? member : (this.faultOf(member) ?? member)
  }

  private faultOf(member: Member): string | undefined {
    if (member.type !== 'file') return member.type
    if (!member.plain) return 'sparse'
    return this.isUnique(member) ? undefined : 'two members of this name that differ'
  }

  /** Whether all members of its name have the same content; then readers agree whichever they choose. */
  private isUnique(member: Member): boolean {
    if (member.rivals.length === 0) return true
    const known = this.unique.get(member)
    if (known !== undefined) return known
    const areAlike = member.rivals.every(
      ({ type, plain, length }) => type === 'file' && plain && length === member.length
    )
    const digest = areAlike ? this.digestOf(member) : undefined
    const areEqual = areAlike && member.rivals.every((rival) => this.digestOf(rival) === digest)
    this.unique.set(member, areEqual)
    return areEqual
  }

  private digestOf({ offset, length }: Member): Digest {
    const hash = createHash('sha256')
    for (let at = 0; at < length; at += CHUNK_BYTES)
      hash.update(this.part(offset + at, Math.min(CHUNK_BYTES, length - at)))
    return finishDigest(hash, 'sha256')
  }

  private notFile(
    code: 'ARCHIVE_INVALID' | 'BLOB_INVALID',
    name: string,
    found: string
  ): OciUnpackError {
    return new OciUnpackError(code, 'The archive lacks a required file.', {
      facts: { file: this.describe(name), expected: 'a regular file', found },
      hint: 'Check that the archive is of the kind that its name says. Links are followed only inside the archive.'
    })
  }
}

function readPart(path: string, offset: number, length: number): Buffer {
  const file = openRegular(path, 'refused')
  if (typeof file === 'string')
    throw new OciUnpackError(
      'ARCHIVE_INVALID',
      'The archive was removed while it was being read.',
      {
        facts: { file: path, found: file }
      }
    )
  try {
    return readFrom(file.fd, offset, length, path)
  } finally {
    closeSync(file.fd)
  }
}

function readFrom(fd: number, offset: number, length: number, path: string): Buffer {
  const bytes = Buffer.alloc(length)
  return bytes.subarray(0, pread(fd, bytes, length, offset, path))
}
