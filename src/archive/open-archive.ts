/** What all kinds of archive have in common: documents and blobs are members. */
import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'
import { fromText } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { finishDigest, type Digest } from '../image/digest.ts'
import { documentTooLarge, openRegular, pread } from '../store/file.ts'
import type { BlobPlace } from '../store/image-source.ts'
import { readMembers, type Member, type Members } from './members.ts'

const CHUNK_BYTES = 1024 * 1024

export class Archive {
  readonly path: string
  private readonly members: Members

  /** @throws ARCHIVE_INVALID, TAR_INVALID, LIMIT_EXCEEDED */
  constructor(path: string) {
    this.members = readMembers(path)
    this.path = this.members.path
  }

  has(name: string): boolean {
    return this.members.byName.has(fromText(name))
  }

  /** The bytes of a required file. @throws ARCHIVE_INVALID */
  size(name: string): number {
    return this.file(name).length
  }

  /** The first bytes of a required file, at most `limit`. @throws ARCHIVE_INVALID */
  head(name: string, limit: number): Buffer {
    const { offset, length } = this.file(name)
    return readPart(this.path, offset, Math.min(length, limit))
  }

  /** The content of a small required file. @throws ARCHIVE_INVALID, LIMIT_EXCEEDED */
  read(name: string, limit: number): Buffer {
    const { length } = this.file(name)
    if (length > limit) throw documentTooLarge(this.describe(name), length, limit)
    return this.head(name, length)
  }

  /** The SHA-256 of a required file. @throws ARCHIVE_INVALID */
  digest(name: string): Digest {
    const { offset, length } = this.file(name)
    const hash = createHash('sha256')
    for (let at = 0; at < length; at += CHUNK_BYTES)
      hash.update(readPart(this.path, offset + at, Math.min(CHUNK_BYTES, length - at)))
    return finishDigest(hash, 'sha256')
  }

  /**
   * Where the bytes of a blob's file are. A missing file gets a path below the archive, where nothing can exist.
   * @throws BLOB_INVALID if it is not a regular file
   */
  place(name: string): BlobPlace {
    const member = this.members.byName.get(fromText(name))
    if (member === undefined) return { path: this.describe(name) }
    if (fault(member) !== undefined) throw this.notFile('BLOB_INVALID', name, member)
    const { offset, length } = member
    return { path: this.path, section: { offset, length } }
  }

  /** How messages name a member. */
  describe(name: string): string {
    return `${this.path}/${name}`
  }

  private file(name: string): Member {
    const member = this.members.byName.get(fromText(name))
    if (member !== undefined && fault(member) === undefined) return member
    throw this.notFile('ARCHIVE_INVALID', name, member)
  }

  private notFile(
    code: 'ARCHIVE_INVALID' | 'BLOB_INVALID',
    name: string,
    member: Member | undefined
  ): OciUnpackError {
    const found = member === undefined ? 'missing' : fault(member)!
    return new OciUnpackError(code, 'The archive lacks a required file.', {
      facts: { file: this.describe(name), expected: 'a regular file', found },
      hint: 'Check that the archive is of the kind that its name says. Links in it are not followed.'
    })
  }
}

function fault({ type, plain }: Member): string | undefined {
  if (type !== 'file') return type
  return plain ? undefined : 'sparse'
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
    const bytes = Buffer.alloc(length)
    return bytes.subarray(0, pread(file.fd, bytes, length, offset, path))
  } finally {
    closeSync(file.fd)
  }
}
