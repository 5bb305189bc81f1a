/**
 * Layers in the form eStargz (docs/estargz.md of stargz-snapshotter): the content of each file, or each 4 MiB of it, is a gzip
 * member of its own; a table of contents is the last entry; and a footer says where that begins.
 */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { Layer } from './image-builder.ts'
import { encodeEntry, file, type Entry } from './tar-builder.ts'

const CHUNK_BYTES = 4 * 2 ** 20
const BLOCK_BYTES = 512

const LANDMARK = file('.no.prefetch.landmark', '\x0f')

export function estargz(...entries: Entry[]): Layer {
  const members = new Members()
  const contents = [LANDMARK, ...entries].flatMap((entry) => addEntry(members, entry))
  const toc = Buffer.from(JSON.stringify({ version: 1, entries: contents }))
  const at = members.add(
    Buffer.concat([encodeEntry(file('stargz.index.json', toc)), Buffer.alloc(2 * BLOCK_BYTES)])
  )
  return {
    tar: Buffer.concat(members.content),
    blob: Buffer.concat([...members.stored, footer(at)])
  }
}

interface TocEntry {
  name: string
  type: string
  mode?: number
  size?: number
  digest?: string
  offset?: number
  chunkOffset?: number
  chunkSize?: number
  chunkDigest?: string
}

const TYPES: Record<string, string> = { '0': 'reg', '2': 'symlink', '5': 'dir' }

function addEntry(members: Members, entry: Entry): TocEntry[] {
  const { name, flag, mode = 0o644, body = Buffer.alloc(0) } = entry
  const bytes = encodeEntry(entry)
  const bodyAt = bytes.length - Math.ceil(body.length / BLOCK_BYTES) * BLOCK_BYTES
  members.add(bytes.subarray(0, bodyAt))
  const described = { name, type: TYPES[flag]!, mode, size: body.length, digest: sha256(body) }
  if (body.length === 0) return [described]
  const chunks: TocEntry[] = []
  for (let at = 0; at < body.length; at += CHUNK_BYTES) {
    const chunk = body.subarray(at, at + CHUNK_BYTES)
    const place = {
      offset: members.add(chunk),
      chunkOffset: at,
      chunkSize: chunk.length,
      chunkDigest: sha256(chunk)
    }
    chunks.push(at === 0 ? { ...described, ...place } : { name, type: 'chunk', ...place })
  }
  const padding = bytes.subarray(bodyAt + body.length)
  if (padding.length > 0) members.add(padding)
  return chunks
}

class Members {
  readonly content: Buffer[] = []
  readonly stored: Buffer[] = []
  private end = 0

  /** Returns where the member begins. */
  add(content: Buffer): number {
    const at = this.end
    const member = gzipSync(content, { level: 1 })
    this.content.push(content)
    this.stored.push(member)
    this.end += member.length
    return at
  }
}

/** 51 bytes: an empty member, whose header has the offset of the table in a field of its own. */
function footer(tocAt: number): Buffer {
  const field = Buffer.from(`SG\x16\0${tocAt.toString(16).padStart(16, '0')}STARGZ`, 'latin1')
  const header = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, field.length, 0])
  const emptyBlock = Buffer.from([1, 0, 0, 0xff, 0xff])
  return Buffer.concat([header, field, emptyBlock, Buffer.alloc(8)])
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
