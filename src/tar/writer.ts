/** Writes entries as header blocks. */
import { compareBytes, display, toBuffer, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { EntryType, TarEntry } from './entry.ts'
import { BLOCK_SIZE, FIELD, padding } from './header.ts'
import { DEFAULT_TAR_LIMITS } from './limits.ts'
import { encodeRecord, type PaxRecord } from './pax.ts'
import { storedBytes, type Extents } from './sparse.ts'
import { encodeSparseMap, sparseRecords } from './sparse-pax.ts'
import { fitsString, splitName, stripToAscii, ustarBlock, type UstarFields } from './ustar.ts'
import { checkWritable } from './writable.ts'
import { aclRecords, neededRecords, type TimePrecision } from './writer-records.ts'

export type { TimePrecision }
export { padding }

export interface WriteOptions {
  /** The precision of the modification time; `seconds` by default. */
  precision?: TimePrecision
  /** Writes the file as PAX 1.0 sparse: only these extents of it follow as the body. */
  sparse?: Extents
  /** Writes ACLs a second time, as the text that GNU tar and bsdtar restore. */
  aclTexts?: boolean
}

/**
 * Everything before an entry's body: a ustar header, preceded by a PAX header only if ustar cannot express everything
 * (POSIX.1-2024, pax), and followed by the map of a sparse file. The bytes equal those of Go's archive/tar, and so
 * umoci's, for the same entry. Access times are never written, and neither are xattrs with an empty value, which PAX
 * cannot express. The caller writes the body and `padding(body)`.
 * @throws ENTRY_INVALID for an entry that tar cannot express, LIMIT_EXCEEDED for more xattrs than readers accept
 */
export function headerBlocks(entry: TarEntry, options: WriteOptions = {}): Buffer {
  checkWritable(entry, options.sparse)
  return options.sparse === undefined
    ? entryBlocks(entry, options, [])
    : sparseBlocks(entry, options, options.sparse)
}

/** Two blocks of zeros, which umoci writes at the end of a layer, without filling up a record of 10 KiB. */
export function endOfArchive(): Buffer {
  return Buffer.alloc(2 * BLOCK_SIZE)
}

function sparseBlocks(entry: TarEntry, options: WriteOptions, extents: Extents): Buffer {
  const map = encodeSparseMap(extents)
  const placeholder = {
    ...entry,
    name: insertDirectory(entry.name, 'GNUSparseFile.0'),
    size: map.length + storedBytes(extents)
  }
  const headers = entryBlocks(placeholder, options, sparseRecords(entry.name, entry.size))
  return Buffer.concat([headers, map])
}

function entryBlocks(entry: TarEntry, options: WriteOptions, extra: readonly PaxRecord[]): Buffer {
  const acls = options.aclTexts === true ? aclRecords(entry) : []
  const records = neededRecords(entry, options.precision ?? 'seconds', [...extra, ...acls])
  if (records.length === 0) return ustarBlock({ ...fieldsOf(entry), ...shortName(entry.name) })
  const stripped = { name: stripToAscii(entry.name), link: stripToAscii(entry.link) }
  return Buffer.concat([
    paxBlocks(entry.name, records),
    ustarBlock({ ...fieldsOf(entry), ...stripped })
  ])
}

function shortName(name: ByteString): { name: ByteString; prefix: ByteString } {
  const whole = { name, prefix: '' }
  return fitsString(FIELD.name, name) ? whole : (splitName(name) ?? whole)
}

function paxBlocks(name: ByteString, records: readonly PaxRecord[]): Buffer {
  const sorted = [...records].sort(([a], [b]) => compareBytes(a, b))
  const content = toBuffer(sorted.map(encodeRecord).join(''))
  if (content.length > DEFAULT_TAR_LIMITS.paxBytes) throw tooManyRecords(name, content.length)
  const header = ustarBlock({ ...PAX_HEADER, name: paxName(name), size: content.length })
  return Buffer.concat([header, content, Buffer.alloc(padding(content.length))])
}

const PAX_HEADER: Omit<UstarFields, 'name' | 'size'> = {
  prefix: '',
  type: 'x',
  link: '',
  mode: 0,
  uid: 0,
  gid: 0,
  mtime: 0
}

function paxName(name: ByteString): ByteString {
  const ascii = stripToAscii(insertDirectory(name, 'PaxHeaders.0'))
  return ascii.slice(0, FIELD.name.end).replace(/\/+$/, '')
}

/** `dir/base` with a directory between the two; `dir/` and `.` (the root) have no base of their own. */
function insertDirectory(name: ByteString, directory: string): ByteString {
  const slash = name.lastIndexOf('/') + 1
  const base = name.slice(slash)
  const own = base !== '' && base !== '.'
  return name.slice(0, slash) + directory + (own ? `/${base}` : '')
}

const TYPE_FLAG: Readonly<Record<EntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6'
}

function fieldsOf(entry: TarEntry): UstarFields {
  return {
    name: entry.name,
    prefix: '',
    type: TYPE_FLAG[entry.type],
    link: entry.link,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: entry.size,
    mtime: entry.mtime.sec,
    device: [entry.devMajor, entry.devMinor]
  }
}

function tooManyRecords(name: ByteString, found: number): OciUnpackError {
  return new OciUnpackError(
    'LIMIT_EXCEEDED',
    'The extended attributes of an entry are too large.',
    {
      facts: {
        entry: display(name),
        expected: `at most ${DEFAULT_TAR_LIMITS.paxBytes} bytes`,
        found
      }
    }
  )
}
