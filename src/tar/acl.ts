/**
 * POSIX ACLs in both forms. star, bsdtar and `tar --acls` write text (`SCHILY.acl.*`); the kernel, and so layers, have an
 * attribute (linux/posix_acl_xattr.h): a version, then entries of tag, permissions and id.
 */
import type { ByteString } from '../bytes.ts'

/** Each kind of ACL by the PAX record of its text, and the attribute that the kernel gives it. */
export const ACL_RECORDS: ReadonlyMap<ByteString, ByteString> = new Map([
  ['SCHILY.acl.access', 'system.posix_acl_access'],
  ['SCHILY.acl.default', 'system.posix_acl_default']
])

/** One line of an ACL. `id` counts only for USER and GROUP. */
interface AclEntry {
  tag: number
  permissions: number
  id: number
}

export type Acl = readonly AclEntry[]

/** The id of an account that a text gives only by name; undefined if nobody has the name. */
export type FindId = (kind: 'user' | 'group', name: ByteString) => number | undefined

const TAG = { owner: 1, user: 2, owningGroup: 4, group: 8, mask: 16, other: 32 } as const
const VERSION = 2
const HEADER_BYTES = 4
const ENTRY_BYTES = 8
const NO_ID = 0xffff_ffff

/** Whether the text says more than the mode of the member. */
export function isExtended(text: ByteString): boolean {
  return linesOf(text).length > 3
}

/** The ACL, in the kernel's order, or what is wrong with the text. Ids after a name (star, bsdtar) take precedence. */
export function parseAcl(text: ByteString, findId: FindId): Acl | string {
  const acl: AclEntry[] = []
  for (const line of linesOf(text)) {
    const entry = parseLine(line, findId)
    if (typeof entry === 'string') return entry
    acl.push(entry)
  }
  acl.sort((a, b) => a.tag - b.tag || a.id - b.id)
  return faultOf(acl) ?? acl
}

/** The value of the attribute. */
export function encodeAcl(acl: Acl): ByteString {
  const bytes = Buffer.alloc(HEADER_BYTES + acl.length * ENTRY_BYTES)
  bytes.writeUInt32LE(VERSION, 0)
  for (const [index, { tag, permissions, id }] of acl.entries()) {
    const at = HEADER_BYTES + index * ENTRY_BYTES
    bytes.writeUInt16LE(tag, at)
    bytes.writeUInt16LE(permissions, at + 2)
    bytes.writeUInt32LE(isNamed(tag) ? id : NO_ID, at + 4)
  }
  return bytes.toString('latin1')
}

/** The mode of a file with this access ACL; `mode` gives the set-ID and sticky bits. The mask is the group's part. */
export function aclMode(acl: Acl, mode: number): number {
  const of = (wanted: number): number | undefined =>
    acl.find(({ tag }) => tag === wanted)?.permissions
  const group = of(TAG.mask) ?? of(TAG.owningGroup)!
  return (mode & 0o7000) | (of(TAG.owner)! << 6) | (group << 3) | of(TAG.other)!
}

/** The text of an attribute, with ids as names and once more as star adds them; undefined if it is not an ACL. */
export function aclText(value: ByteString): ByteString | undefined {
  const bytes = Buffer.from(value, 'latin1')
  if (bytes.length % ENTRY_BYTES !== HEADER_BYTES || bytes.readUInt32LE(0) !== VERSION)
    return undefined
  const lines: string[] = []
  for (let at = HEADER_BYTES; at < bytes.length; at += ENTRY_BYTES) {
    const prefix = PREFIX.get(bytes.readUInt16LE(at))
    if (prefix === undefined) return undefined
    const permissions = rwx(bytes.readUInt16LE(at + 2))
    const id = bytes.readUInt32LE(at + 4)
    const isForOne = isNamed(bytes.readUInt16LE(at))
    lines.push(isForOne ? `${prefix}:${id}:${permissions}:${id}` : `${prefix}::${permissions}`)
  }
  return lines.join(',')
}

const PREFIX: ReadonlyMap<number, string> = new Map([
  [TAG.owner, 'user'],
  [TAG.user, 'user'],
  [TAG.owningGroup, 'group'],
  [TAG.group, 'group'],
  [TAG.mask, 'mask'],
  [TAG.other, 'other']
])

function rwx(permissions: number): string {
  return ['r', 'w', 'x']
    .map((letter, at) => ((permissions >> (2 - at)) & 1 ? letter : '-'))
    .join('')
}

function isNamed(tag: number): boolean {
  return tag === TAG.user || tag === TAG.group
}

/** GNU tar separates with line feeds and may add comments; star and bsdtar separate with commas. */
function linesOf(text: ByteString): string[] {
  return text
    .split(/[\n,]/)
    .map((line) => line.replace(/#.*$/, '').trim())
    .filter((line) => line !== '')
}

function parseLine(line: string, findId: FindId): AclEntry | string {
  const [first = '', ...fields] = line.replace(/^d(?:efault)?:/, '').split(':')
  const kind = KINDS.get(first)
  if (kind === undefined) return `"${line}" is not an entry of an ACL`
  // Solaris leaves the empty name of the mask and of others out
  if ((kind === 'mask' || kind === 'other') && fields.length === 1) fields.unshift('')
  const [name = '', letters = '', number = ''] = fields.map((field) => field.trim())
  const permissions = parsePermissions(letters)
  if (permissions === undefined) return `"${line}" has malformed permissions`
  if (kind === 'mask' || kind === 'other') return { tag: TAG[kind], permissions, id: NO_ID }
  if (name === '') {
    const tag = kind === 'user' ? TAG.owner : TAG.owningGroup
    return { tag, permissions, id: NO_ID }
  }
  const id = idOf(kind, unescaped(name), number, findId)
  return id === undefined
    ? `the number of the ${kind} "${name}" is not in the archive`
    : { tag: TAG[kind], permissions, id }
}

const KINDS: ReadonlyMap<string, 'user' | 'group' | 'mask' | 'other'> = new Map([
  ['u', 'user'],
  ['user', 'user'],
  ['g', 'group'],
  ['group', 'group'],
  ['m', 'mask'],
  ['mask', 'mask'],
  ['o', 'other'],
  ['other', 'other']
])

function parsePermissions(letters: string): number | undefined {
  if (/^[0-7]$/.test(letters)) return Number(letters)
  if (!/^[rwx-]+$/.test(letters)) return undefined
  const bit = (letter: string, value: number): number => (letters.includes(letter) ? value : 0)
  return bit('r', 4) | bit('w', 2) | bit('x', 1)
}

function idOf(
  kind: 'user' | 'group',
  name: ByteString,
  number: string,
  findId: FindId
): number | undefined {
  const digits = [number, name].find((text) => /^\d+$/.test(text))
  const id = digits === undefined ? findId(kind, name) : Number(digits)
  return id !== undefined && id < NO_ID ? id : undefined
}

/** libacl writes the bytes of a name that would be ambiguous in octal. */
function unescaped(name: ByteString): ByteString {
  return name.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) =>
    String.fromCharCode(parseInt(digits, 8))
  )
}

/** acl(5), "Valid ACLs". */
function faultOf(acl: Acl): string | undefined {
  const count = (tag: number): number => acl.filter((entry) => entry.tag === tag).length
  if ([TAG.owner, TAG.owningGroup, TAG.other].some((tag) => count(tag) !== 1))
    return 'an ACL needs one entry each for the owner, the group and others'
  const isMasked = count(TAG.mask) === 1
  if (count(TAG.mask) > 1 || (!isMasked && acl.some(({ tag }) => isNamed(tag))))
    return 'an ACL that names somebody needs one mask'
  const isTwice = acl.some(
    ({ tag, id }, at) => isNamed(tag) && acl[at + 1]?.tag === tag && acl[at + 1]?.id === id
  )
  return isTwice ? 'an ACL names somebody twice' : undefined
}
