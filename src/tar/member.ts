/** A member: its entry and its body. */
import type { ByteString } from '../bytes.ts'
import { foreignRecords, gnuType, type Dialect } from './dialect.ts'
import type { EntryType, TarEntry } from './entry.ts'
import type { Extensions } from './extensions.ts'
import { entryInvalid } from './faults.ts'
import { FIELD, formatOf, stringField, typeFlag, type Block } from './header.ts'
import { readBody, type Body } from './member-body.ts'
import {
  memberAtime,
  memberDevice,
  memberId,
  memberMode,
  memberMtime,
  memberSize,
  memberXattrs,
  type Source
} from './member-values.ts'
import type { PaxRecords } from './pax.ts'

/** A member, as its header block and the extended headers before it describe it. */
export interface Member {
  entry: TarEntry
  body: Body
}

/** `offset` is the position of the member's first header, which may be an extended one, in the archive. */
export function readMember(
  block: Block,
  extensions: Extensions,
  offset: number,
  dialect: Dialect
): Member {
  const records = extensions.records
  const name = memberName(block, extensions.longName, records)
  const source: Source = { block, records, name }
  const type = entryType(source, dialect)
  const body = readBody(source, type)
  const device = type === 'char' || type === 'block'
  const entry: TarEntry = {
    type,
    name,
    link: memberLink(source, type, extensions.longLink),
    mode: memberMode(source),
    uid: memberId(source, 'uid'),
    gid: memberId(source, 'gid'),
    size: body.size,
    mtime: memberMtime(source),
    devMajor: device ? memberDevice(source, 'devMajor') : 0,
    devMinor: device ? memberDevice(source, 'devMinor') : 0,
    xattrs: memberXattrs(source),
    offset
  }
  const atime = memberAtime(source)
  if (atime !== undefined) entry.atime = atime
  const foreign = dialect === 'archive' ? foreignRecords(records) : undefined
  if (foreign !== undefined) entry.foreign = foreign
  return { entry, body }
}

/** Precedence as in Go's archive/tar: sparse name, GNU long name, PAX path, ustar prefix and name. */
function memberName(
  block: Block,
  longName: ByteString,
  records: PaxRecords | undefined
): ByteString {
  const name =
    records?.get('GNU.sparse.name') || longName || records?.get('path') || headerName(block)
  if (records !== undefined) refuseNul(block, name, name)
  return name
}

function headerName(block: Block): ByteString {
  const name = stringField(block, FIELD.name)
  const format = formatOf(block)
  if (format === 'v7' || format === 'gnu') return name
  const prefix = stringField(block, format === 'star' ? FIELD.starPrefix : FIELD.prefix)
  return prefix === '' ? name : `${prefix}/${name}`
}

function memberLink(source: Source, type: EntryType, longLink: ByteString): ByteString {
  if (type !== 'symlink' && type !== 'hardlink') return ''
  const { block, name, records } = source
  const link = longLink || records?.get('linkpath') || stringField(block, FIELD.link)
  if (link === '') throw entryInvalid(block.offset, name, 'A link has no target.')
  if (records !== undefined) refuseNul(block, name, link)
  return link
}

/** Only PAX values can contain a NUL. The kernel would see a different, shorter name. */
function refuseNul(block: Block, name: ByteString, bytes: ByteString): void {
  if (bytes.includes('\0')) {
    throw entryInvalid(block.offset, name, 'A name or link target contains a NUL byte.')
  }
}

/** M: GNU tar's type for what follows of a file in the next volume. */
const CONTINUED = 0x4d

/**
 * Some writers mark directories only by a slash at the end of the name, like the first versions of tar. With a body, such
 * a name belongs to a file. Everything that is not a file system object is refused.
 */
function entryType(source: Source, dialect: Dialect): EntryType {
  const { block, name } = source
  const flag = typeFlag(block)
  switch (String.fromCharCode(flag)) {
    case '\0':
      return name.endsWith('/') ? 'directory' : 'file'
    case '0':
    case '7':
      return name.endsWith('/') && memberSize(source) === 0 ? 'directory' : 'file'
    case 'S':
      return 'file'
    case '1':
      return 'hardlink'
    case '2':
      return 'symlink'
    case '3':
      return 'char'
    case '4':
      return 'block'
    case '5':
      return 'directory'
    case '6':
      return 'fifo'
    default:
      if (dialect === 'archive' && gnuType(flag) === 'dump') return 'directory'
      throw entryInvalid(block.offset, name, 'The entry has a type that is not supported.', {
        found: `type byte 0x${flag.toString(16).padStart(2, '0')}`,
        ...(flag === CONTINUED && { reason: 'it is the rest of a file from another volume' })
      })
  }
}
