/** What a reader takes for a member. */
import type { ByteString } from '../bytes.ts'
import { ACL_RECORDS } from './acl.ts'
import type { PaxRecords } from './pax.ts'

/**
 * `layer`: what the readers of layers agree on. `archive`: also what GNU tar writes only for itself (names of volumes,
 * lists of an incremental dump), and metadata of which layers have another form.
 */
export type Dialect = 'layer' | 'archive'

/** An attribute as bsdtar writes it: its name percent-encoded, its value in base64. */
export const LIBARCHIVE_PREFIX = 'LIBARCHIVE.xattr.'

/** What GNU tar lists in a directory of an incremental dump. */
export const DUMP_RECORD = 'GNU.dumpdir'

/** An ACL of NFSv4, as star and bsdtar write it on Solaris, FreeBSD and macOS. */
export const NFS4_ACL_RECORD = 'SCHILY.acl.ace'

const OTHERS: ReadonlySet<ByteString> = new Set([DUMP_RECORD, NFS4_ACL_RECORD])

/** The records that only archives have; undefined if there are none. */
export function foreignRecords(
  records: PaxRecords | undefined
): ReadonlyMap<ByteString, ByteString> | undefined {
  if (records === undefined) return undefined
  const foreign = [...records].filter(([key, value]) => value !== '' && isForeign(key))
  return foreign.length === 0 ? undefined : new Map(foreign)
}

function isForeign(key: ByteString): boolean {
  return ACL_RECORDS.has(key) || OTHERS.has(key) || key.startsWith(LIBARCHIVE_PREFIX)
}

/** What GNU tar's own types stand for; undefined for other types. */
export function gnuType(flag: number): 'label' | 'dump' | undefined {
  if (flag === VOLUME_LABEL) return 'label'
  return flag === DUMP_DIRECTORY ? 'dump' : undefined
}

const VOLUME_LABEL = 0x56 // V
const DUMP_DIRECTORY = 0x44 // D
