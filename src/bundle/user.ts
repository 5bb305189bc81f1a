/** The user that a config names, as ids. */
import { display, fromText, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { parseGroup, parsePasswd, type PasswdEntry } from './passwd.ts'

/** The content of the image's etc/passwd and etc/group; undefined if there is no such regular file. */
export interface Accounts {
  passwd: ByteString | undefined
  group: ByteString | undefined
}

export interface ResolvedUser {
  uid: number
  gid: number
  additionalGids: readonly number[]
  home: ByteString | undefined
}

/** The parts of `Config.User`: `user[:group]`. Anything after a second colon is ignored, as in Docker. */
interface UserReference {
  text: string
  user: Part
  group: Part
}

type Part = { kind: 'none' } | { kind: 'name'; name: ByteString } | { kind: 'id'; id: number }

/** The largest id that Docker and umoci allow in `Config.User`. */
const MAX_ID = 0x7fff_ffff

/**
 * Finds the user of an image-spec `Config.User`. Digits are always an id. The first matching line of passwd gives uid,
 * gid and home; an id without a line stands for itself, with gid 0. A given group replaces the gid. Without one, a user
 * *name* (or no user, which is root) gets its supplementary groups, in the order of the group file. A numeric user gets
 * none, since conversion.md leaves additionalGids alone there.
 * @throws USER_NOT_FOUND for a name that the files lack, CONFIG_UNSUPPORTED for an id out of range
 */
export function resolveUser(text: string, accounts: Accounts): ResolvedUser {
  const reference = parseUser(text)
  const entry = findUser(reference.user, accounts)
  if (entry === undefined && reference.user.kind === 'name') throw unknownName(reference, 'user')
  return {
    uid: entry?.uid ?? (reference.user.kind === 'id' ? reference.user.id : 0),
    gid: findGid(reference, accounts) ?? entry?.gid ?? 0,
    additionalGids: supplementaryGids(reference, entry, accounts),
    home: entry?.home === '' ? undefined : entry?.home
  }
}

/** Checks what can be known about `Config.User` without the files. @throws CONFIG_UNSUPPORTED for an id out of range */
export function checkUser(text: string): void {
  parseUser(text)
}

/** Whether the files are needed to find the ids. @throws CONFIG_UNSUPPORTED for an id out of range */
export function namesAccounts(text: string): boolean {
  const { user, group } = parseUser(text)
  return user.kind === 'name' || group.kind === 'name'
}

function parseUser(text: string): UserReference {
  const [user = '', group = ''] = text.split(':')
  return { text, user: parsePart(text, user), group: parsePart(text, group) }
}

function parsePart(text: string, part: string): Part {
  if (part === '') return { kind: 'none' }
  if (!/^[+-]?[0-9]+$/.test(part)) return { kind: 'name', name: fromText(part) }
  const id = Number(part)
  if (id < 0 || id > MAX_ID) throw outOfRange(text, part)
  return { kind: 'id', id }
}

function findUser(user: Part, { passwd = '' }: Accounts): PasswdEntry | undefined {
  const uid = user.kind === 'id' ? user.id : 0
  for (const entry of parsePasswd(passwd)) {
    if (user.kind === 'name' ? entry.name === user.name : entry.uid === uid) return entry
  }
  return undefined
}

function findGid(reference: UserReference, { group = '' }: Accounts): number | undefined {
  const wanted = reference.group
  if (wanted.kind === 'none') return undefined
  if (wanted.kind === 'id') return wanted.id
  for (const entry of parseGroup(group)) if (entry.name === wanted.name) return entry.gid
  throw unknownName(reference, 'group')
}

function supplementaryGids(
  { user, group }: UserReference,
  entry: PasswdEntry | undefined,
  accounts: Accounts
): number[] {
  if (entry === undefined || user.kind === 'id' || group.kind !== 'none') return []
  const groups = [...parseGroup(accounts.group ?? '')]
  return groups.filter(({ members }) => members.includes(entry.name)).map(({ gid }) => gid)
}

function unknownName({ text }: UserReference, kind: 'user' | 'group'): OciUnpackError {
  const file = kind === 'user' ? 'etc/passwd' : 'etc/group'
  return new OciUnpackError('USER_NOT_FOUND', `The image has no ${kind} with this name.`, {
    facts: { file, pointer: '/config/User', found: display(fromText(text)) },
    hint: `Use a number in the image's Config.User, or add the ${kind} to the image's ${file}.`
  })
}

function outOfRange(text: string, part: string): OciUnpackError {
  return new OciUnpackError('CONFIG_UNSUPPORTED', `${part} is outside the range of ids.`, {
    facts: { pointer: '/config/User', expected: `0 to ${MAX_ID}`, found: display(fromText(text)) }
  })
}
