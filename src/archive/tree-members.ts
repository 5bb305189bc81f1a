/** What the members of an archive tell about the root file system that they are. */
import { display, ownCopy, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { ELF_HEAD_BYTES, elfArchitecture } from '../image/elf.ts'
import { cleanPath, readName } from '../plan/names.ts'
import { DUMP_RECORD, NFS4_ACL_RECORD } from '../tar/dialect.ts'
import type { TarEntry } from '../tar/entry.ts'
import type { TarSink } from '../tar/sink.ts'
import { Accounts } from './accounts.ts'
import { hasForeignMetadata } from './foreign-metadata.ts'
import { TELLING } from './other-archives.ts'

export class TreeMembers implements TarSink {
  count = 0
  /** The names at the top of the archive, and those that tell where its root file system is. */
  readonly names: Set<ByteString> = new Set()
  /** How many programs were built for each. */
  readonly architectures: Map<string, number> = new Map()
  readonly accounts: Accounts = new Accounts()
  /** Whether a member has metadata in a form that layers do not have. */
  hasForeign = false
  /** Whether a directory of a dump had files that are not in the archive. */
  isPartial = false
  /** Whether a member has an ACL that Linux does not have. */
  hasNfs4Acls = false
  private path: ByteString = ''
  private type: TarEntry['type'] = 'file'
  private readonly head = Buffer.alloc(ELF_HEAD_BYTES)
  private headBytes = 0

  entry(entry: TarEntry): void {
    this.count++
    this.headBytes = 0
    if (readName(entry.name).kind !== 'entry') throw wouldRemove(entry)
    if (PART.test(entry.name)) throw partOfFile(entry)
    this.hasForeign ||= hasForeignMetadata(entry)
    this.type = entry.type
    this.hasNfs4Acls ||= entry.foreign?.has(NFS4_ACL_RECORD) === true
    this.isPartial ||= listsMissing(entry.foreign?.get(DUMP_RECORD) ?? '', true)
    const path = cleanPath(entry.name)
    const slash = path.indexOf('/')
    this.names.add(slash < 0 ? path : ownCopy(path.slice(0, slash)))
    if (TELLING.has(path)) this.names.add(path)
    this.path = path
    this.accounts.begin(path)
  }

  data(chunk: Buffer, start: number, end: number, position: number): void {
    if (this.type !== 'file')
      this.isPartial ||= listsMissing(chunk.toString('latin1', start, end), position === 0)
    this.accounts.add(this.path, chunk, start, end)
    if (position >= ELF_HEAD_BYTES) return
    this.headBytes = position + chunk.copy(this.head, position, start, end)
  }

  end(): void {
    const architecture = elfArchitecture(this.head.subarray(0, this.headBytes))
    if (architecture === undefined) return
    this.architectures.set(architecture, (this.architectures.get(architecture) ?? 0) + 1)
  }
}

/** The list of a dump has a letter before each name, and a NUL after it: N for a file that the dump does not have. */
function listsMissing(list: ByteString, isStart: boolean): boolean {
  return (isStart && list.startsWith('N')) || list.includes('\0N')
}

/** How GNU tar names what follows of a file in the next volume, in the PAX format. */
const PART = /(?:^|\/)GNUFileParts\/[^/]*\.\d+$/

function partOfFile({ name, offset }: TarEntry): OciUnpackError {
  return new OciUnpackError('ENTRY_INVALID', 'The archive is one of several volumes.', {
    facts: { entry: display(name), offset, reason: 'it is the rest of a file from another volume' },
    hint: 'Extract all volumes with GNU tar (tar -xM), and pack the result as one archive.'
  })
}

/** In a layer, the name would mean something else. */
function wouldRemove({ name, offset }: TarEntry): OciUnpackError {
  return new OciUnpackError('ENTRY_INVALID', 'A file has a name that removes another in a layer.', {
    facts: { entry: display(name), offset, reason: 'names that begin with .wh. are whiteouts' },
    hint: 'A root file system with such files cannot be an image. If the archive is a layer, add it to an image: oci-unpack raw add-layer.'
  })
}
