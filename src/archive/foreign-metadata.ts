/** Metadata that an archive has in a form that no reader of layers knows, in the form of layers. */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import {
  ACL_RECORDS,
  aclMode,
  encodeAcl,
  isExtended,
  parseAcl,
  type Acl,
  type FindId
} from '../tar/acl.ts'
import { LIBARCHIVE_PREFIX } from '../tar/dialect.ts'
import type { TarEntry, Xattr } from '../tar/entry.ts'

/** Whether a layer with this member would lack something. */
export function hasForeignMetadata(entry: TarEntry): boolean {
  return foreignAcls(entry).length > 0 || foreignXattrs(entry).length > 0
}

/** The member with all of its metadata as a layer has it. @throws ENTRY_INVALID */
export function withForeignMetadata(entry: TarEntry, findId: FindId): TarEntry {
  if (entry.foreign === undefined) return entry
  const acls = foreignAcls(entry).map((key): [ByteString, Acl] => {
    const acl = parseAcl(entry.foreign!.get(key)!, findId)
    if (typeof acl === 'string') throw badAcl(entry, acl)
    return [ACL_RECORDS.get(key)!, acl]
  })
  const access = acls.find(([name]) => name === 'system.posix_acl_access')?.[1]
  return {
    ...entry,
    mode: access === undefined ? entry.mode : aclMode(access, entry.mode),
    xattrs: [
      ...entry.xattrs,
      ...foreignXattrs(entry).map((key) => decodeXattr(entry, key)),
      ...acls.map(([name, acl]): Xattr => [name, encodeAcl(acl)])
    ]
  }
}

/** The records of ACLs that count: links have none, only directories have a default, and an attribute takes precedence. */
function foreignAcls(entry: TarEntry): ByteString[] {
  const { foreign, type } = entry
  if (foreign === undefined || type === 'symlink') return []
  return [...ACL_RECORDS].flatMap(([key, name]) => {
    const text = foreign.get(key)
    if (text === undefined || hasXattr(entry, name)) return []
    const counts = name === 'system.posix_acl_access' ? isExtended(text) : type === 'directory'
    return counts ? [key] : []
  })
}

/** The records of attributes that bsdtar wrote only in its own form. */
function foreignXattrs(entry: TarEntry): ByteString[] {
  const keys = [...(entry.foreign?.keys() ?? [])].filter((key) => key.startsWith(LIBARCHIVE_PREFIX))
  return keys.filter((key) => !hasXattr(entry, xattrName(key)))
}

function hasXattr({ xattrs }: TarEntry, wanted: ByteString): boolean {
  return xattrs.some(([name]) => name === wanted)
}

function xattrName(key: ByteString): ByteString {
  return key
    .slice(LIBARCHIVE_PREFIX.length)
    .replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)))
}

function decodeXattr(entry: TarEntry, key: ByteString): Xattr {
  const text = entry.foreign!.get(key)!
  if (/^[A-Za-z0-9+/]*={0,2}$/.test(text))
    return [xattrName(key), Buffer.from(text, 'base64').toString('latin1')]
  throw new OciUnpackError('ENTRY_INVALID', 'An extended attribute is not in base64.', {
    facts: { ...place(entry), found: display(key) }
  })
}

function badAcl(entry: TarEntry, reason: string): OciUnpackError {
  return new OciUnpackError('ENTRY_INVALID', 'The ACL of a file cannot be taken over.', {
    facts: { ...place(entry), reason: display(reason) },
    hint: 'GNU tar does not write the numbers of accounts in ACLs. bsdtar does: bsdtar --acls --numeric-owner -C DIRECTORY -cf FILE .'
  })
}

function place({ name, offset }: TarEntry): { entry: string; offset: number } {
  return { entry: display(name), offset }
}
