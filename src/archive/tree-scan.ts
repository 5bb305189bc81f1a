/** What has to be known of an archive of a root file system before it can be a layer. */
import { createHash } from 'node:crypto'
import { OciUnpackError } from '../errors.ts'
import { finishDigest, type Digest } from '../image/digest.ts'
import { TarReader } from '../tar/reader.ts'
import { FORMAT_BYTES, notTar, otherFormat } from './not-tar.ts'
import { rootIn } from './other-archives.ts'
import { TreeMembers } from './tree-members.ts'
import { TREE_LIMITS } from './tree-limits.ts'
import type { TreeChange } from './tree-rewrite.ts'

/** An archive that can be a layer. */
export interface ScannedTree {
  /** Of the uncompressed archive. */
  diffId: Digest
  /** What most of its programs were built for, in Go's names; undefined if there are none. */
  architecture: string | undefined
  /** How its members have to be written anew; undefined if the archive itself can be the layer. */
  change: TreeChange | undefined
  /** What whoever uses it should know. */
  warnings: readonly string[]
}

const NFS4_ACLS = 'The archive has ACLs of NFSv4, which Linux does not have. They are left out.'
const TAIL = 'Data follows the end of the archive. It is not part of the image.'
const NO_END =
  'The archive has no end marker. It may have been cut short: check that nothing is missing.'
const PARTIAL =
  'The archive is a dump that lacks files of its directories, which did not change or were excluded.'

/** Takes the uncompressed archive from its beginning to its end, in chunks of any size. */
export class TreeScan {
  private readonly hash = createHash('sha256')
  private readonly members = new TreeMembers()
  private readonly reader = new TarReader(this.members, TREE_LIMITS, 'archive')
  private isEmpty = true
  private isZeros = true
  private hasTail = false
  private position = 0
  private head: Buffer = Buffer.alloc(0)
  private failure: unknown

  /** Whether the archive cannot be a layer, whatever follows. */
  get hasFailed(): boolean {
    return this.failure !== undefined
  }

  /** Keeps a failure for `finish`: if the archive is damaged, its decompressor says so later, and knows better. */
  push(chunk: Buffer): void {
    if (this.hasFailed) return
    try {
      this.read(chunk)
    } catch (error) {
      this.failure = isAtStart(error) ? notTar(otherFormat(this.head)) : error
    }
  }

  /** @throws TAR_INVALID, ENTRY_INVALID, LIMIT_EXCEEDED, ARCHIVE_INVALID */
  finish(): ScannedTree {
    if (this.hasFailed) throw this.failure
    if (this.position > 0 && this.position < FORMAT_BYTES) throw notTar(otherFormat(this.head))
    this.reader.finish()
    const { hasEnd } = this.reader
    const { count, names, architectures, accounts, hasForeign, isPartial, hasNfs4Acls } =
      this.members
    if (this.isEmpty) throw notTar('an empty file')
    if (count === 0 && !this.isZeros) throw notTar('no members, but other data')
    const root = rootIn(names)
    const isLayer = root === '' && !hasForeign && !this.reader.hasGnuTypes
    const [most] = [...architectures].sort(([, a], [, b]) => b - a)
    return {
      diffId: finishDigest(this.hash, 'sha256'),
      architecture: most?.[0],
      change: isLayer ? undefined : { root, accounts },
      warnings: [
        ...(this.hasTail ? [TAIL] : []),
        ...(hasEnd ? [] : [NO_END]),
        ...(isPartial ? [PARTIAL] : []),
        ...(hasNfs4Acls ? [NFS4_ACLS] : [])
      ]
    }
  }

  private read(chunk: Buffer): void {
    if (this.head.length < FORMAT_BYTES)
      this.head = Buffer.concat([this.head, chunk.subarray(0, FORMAT_BYTES)])
    this.hash.update(chunk)
    this.isEmpty = false
    this.reader.push(chunk)
    this.readTail(chunk)
    if (this.members.count === 0) this.isZeros &&= isZeros(chunk)
  }

  private readTail(chunk: Buffer): void {
    const { end } = this.reader
    if (end !== undefined && !this.hasTail)
      this.hasTail = !isZeros(chunk.subarray(Math.max(0, end - this.position)))
    this.position += chunk.length
  }
}

function isZeros(chunk: Buffer): boolean {
  return chunk.equals(Buffer.alloc(chunk.length))
}

function isAtStart(error: unknown): boolean {
  return error instanceof OciUnpackError && error.code === 'TAR_INVALID' && error.facts.offset === 0
}
