/** The lines of passwd(5) and group(5). */
import type { ByteString } from '../bytes.ts'

/** A line of passwd(5). */
export interface PasswdEntry {
  name: ByteString
  uid: number
  gid: number
  /** Empty if the line has none. */
  home: ByteString
}

/** A line of group(5). */
export interface GroupEntry {
  name: ByteString
  gid: number
  members: readonly ByteString[]
}

/** 2^32-1 tells chown(2) to leave the id as it is. */
const MAX_ID = 0xffff_fffe

/**
 * The entries of a passwd file in order. Lines without a name, uid or gid are skipped, as glibc does: treating a
 * damaged number as 0 would make its owner root.
 */
export function* parsePasswd(text: ByteString): Generator<PasswdEntry> {
  for (const [name = '', , uidText, gidText, , home = ''] of fieldsOf(text)) {
    const uid = parseId(uidText)
    const gid = parseId(gidText)
    if (name !== '' && uid !== undefined && gid !== undefined) yield { name, uid, gid, home }
  }
}

/** The entries of a group file in order; lines without a name or gid are skipped. */
export function* parseGroup(text: ByteString): Generator<GroupEntry> {
  for (const [name = '', , gidText, list = ''] of fieldsOf(text)) {
    const gid = parseId(gidText)
    if (name !== '' && gid !== undefined) yield { name, gid, members: list.split(',') }
  }
}

function* fieldsOf(text: ByteString): Generator<ByteString[]> {
  for (const line of text.split('\n')) {
    const trimmed = line.replace(/^[ \t\r]+|[ \t\r]+$/g, '')
    if (trimmed !== '') yield trimmed.split(':')
  }
}

function parseId(text: ByteString | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined
  const id = Number(text)
  return id <= MAX_ID ? id : undefined
}
