/** Turns header blocks into members. */
import { display } from '../bytes.ts'
import { gnuType, type Dialect } from './dialect.ts'
import { Extensions, extensionType, type ExtensionType } from './extensions.ts'
import { limitExceeded, tarInvalid } from './faults.ts'
import {
  BLOCK_SIZE,
  checksumMatches,
  FIELD,
  numberField,
  sumBytes,
  typeFlag,
  type Block
} from './header.ts'
import type { TarLimits } from './limits.ts'
import { readMember, type Member } from './member.ts'
import { extentsFault } from './sparse.ts'

/** What comes after a header: the content of an extension, blocks of a sparse map, or a body. */
export type Next = 'zero' | 'extension' | 'sparse' | 'member'

/** Turns header blocks and the content of extended headers into members. Keeps no body bytes. */
export class HeaderReader {
  /** The size of the following extension in bytes, after `extension`. */
  extensionSize = 0
  /** The member, after `member`. */
  member: Member | undefined
  /** Whether there was a type of member that readers of layers refuse. */
  hasGnuTypes = false
  private readonly limits: TarLimits
  private readonly dialect: Dialect
  private readonly extensions: Extensions
  private extension: ExtensionType = 'pax'
  /** Offset of the current extended header, and of the first one that still waits for its member. */
  private offset = 0
  private first = -1

  constructor(limits: TarLimits, dialect: Dialect) {
    this.limits = limits
    this.dialect = dialect
    this.extensions = new Extensions(limits)
  }

  /** Whether there were extended headers whose member has not come yet. */
  get waiting(): boolean {
    return this.first >= 0
  }

  takeHeader(block: Block): Next {
    const sum = sumBytes(block)
    if (sum === 0) return 'zero'
    if (!checksumMatches(block, sum)) {
      throw tarInvalid(block.offset, 'A tar header has a wrong checksum.')
    }
    const flag = typeFlag(block)
    if (gnuType(flag) !== undefined) this.hasGnuTypes = true
    const extension = extensionType(flag, this.dialect)
    return extension === undefined ? this.beginMember(block) : this.extend(extension, block)
  }

  takeExtension(bytes: Buffer, at: number): void {
    this.extensions.take(this.extension, bytes, at, at + this.extensionSize, this.offset)
    if (this.first < 0 && !STANDS_ALONE.has(this.extension)) this.first = this.offset
  }

  takeSparse(bytes: Buffer, at: number): Next {
    const member = this.member!
    const sparse = member.body.sparse!
    if (sparse.inBody) member.body.stored -= BLOCK_SIZE
    sparse.block(bytes, at)
    return this.checkSparse(member)
  }

  private extend(type: ExtensionType, block: Block): Next {
    const size = numberField(block, FIELD.size)
    if (!Number.isSafeInteger(size) || size < 0) {
      throw tarInvalid(block.offset, 'An extended header has a malformed size.')
    }
    this.extensions.admit(type, size, block.offset)
    this.extension = type
    this.offset = block.offset
    this.extensionSize = size
    return 'extension'
  }

  private beginMember(block: Block): Next {
    const first = this.first < 0 ? block.offset : this.first
    const member = readMember(block, this.extensions, first, this.dialect)
    this.extensions.clear()
    this.first = -1
    this.member = member
    return member.body.sparse === undefined ? 'member' : this.checkSparse(member)
  }

  private checkSparse(member: Member): Next {
    const { stored, sparse } = member.body
    const { extents, complete, inBody } = sparse!
    this.checkExtentCount(extents.length / 2, member.entry.offset)
    if (!complete && (!inBody || stored >= BLOCK_SIZE)) return 'sparse'
    const reason = complete ? extentsFault(extents, member.entry.size, stored) : 'it does not end'
    if (reason === undefined) return 'member'
    throw tarInvalid(member.entry.offset, 'A sparse file has a malformed map.', {
      entry: display(member.entry.name),
      reason
    })
  }

  private checkExtentCount(count: number, offset: number): void {
    const limit = this.limits.sparseExtents
    if (count <= limit) return
    throw limitExceeded(offset, 'The map of a sparse file', `at most ${limit} extents`, count)
  }
}

/** They do not wait for a member. */
const STANDS_ALONE: ReadonlySet<ExtensionType> = new Set(['global', 'label'])
