/** Writes the members of a root file system anew, as those of a layer, if the archive itself cannot be the layer. */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { cleanPath } from '../plan/names.ts'
import type { FindId } from '../tar/acl.ts'
import type { TarEntry } from '../tar/entry.ts'
import { TarReader } from '../tar/reader.ts'
import type { TarSink } from '../tar/sink.ts'
import { storedBytes, type Extents } from '../tar/sparse.ts'
import { endOfArchive, headerBlocks, padding } from '../tar/writer.ts'
import type { Accounts } from './accounts.ts'
import { withForeignMetadata } from './foreign-metadata.ts'
import { TREE_LIMITS } from './tree-limits.ts'

/** How the layer differs from the archive. */
export interface TreeChange {
  /** The directory of the archive that is the root; nothing else is in the layer. Empty: all of it. */
  root: ByteString
  accounts: Accounts
}

/** Chunks, each valid until the next. @throws ENTRY_INVALID, LIMIT_EXCEEDED, and what the chunks throw */
export async function* rewriteTree(
  chunks: AsyncIterable<Buffer>,
  { root, accounts }: TreeChange
): AsyncGenerator<Buffer> {
  const members = new Members(root, (kind, name) => accounts.find(root, kind, name))
  const reader = new TarReader(members, TREE_LIMITS, 'archive')
  for await (const chunk of chunks) {
    reader.push(chunk)
    yield* members.written.splice(0)
  }
  reader.finish()
  yield endOfArchive()
}

class Members implements TarSink {
  /** Parts of the layer, which the chunk that is being pushed may contain. */
  readonly written: Buffer[] = []
  private readonly root: ByteString
  private readonly findId: FindId
  private isKept = false
  private stored = 0

  constructor(root: ByteString, findId: FindId) {
    this.root = root
    this.findId = findId
  }

  entry(entry: TarEntry, _body: number, extents: Extents | undefined): void {
    const moved = this.moved(entry)
    this.isKept = moved !== undefined && entry.type === 'file'
    if (moved === undefined) return
    this.stored = extents === undefined ? entry.size : storedBytes(extents)
    const options = { precision: 'nanoseconds', ...(extents && { sparse: extents }) } as const
    this.written.push(headerBlocks(withForeignMetadata(moved, this.findId), options))
  }

  data(chunk: Buffer, start: number, end: number): void {
    if (this.isKept) this.written.push(chunk.subarray(start, end))
  }

  end(): void {
    if (this.isKept) this.written.push(Buffer.alloc(padding(this.stored)))
  }

  /** The member with its name in the layer; undefined if it is not in the root file system. */
  private moved(entry: TarEntry): TarEntry | undefined {
    if (this.root === '') return entry
    const path = cleanPath(entry.name)
    if (path === this.root) return { ...entry, name: './' }
    const name = this.below(path)
    if (name === undefined) return undefined
    if (entry.type !== 'hardlink') return { ...entry, name }
    const link = this.below(cleanPath(entry.link))
    if (link === undefined) throw leadsOut(entry, this.root)
    return { ...entry, name, link }
  }

  private below(path: ByteString): ByteString | undefined {
    return path.startsWith(`${this.root}/`) ? path.slice(this.root.length + 1) : undefined
  }
}

function leadsOut({ name, link, offset }: TarEntry, root: ByteString): OciUnpackError {
  return new OciUnpackError('ENTRY_INVALID', 'A hard link leads out of the root file system.', {
    facts: {
      entry: display(name),
      offset,
      expected: `a name in ${display(root)}`,
      found: display(link)
    }
  })
}
