/** Subordinate ids: the ranges that /etc/subuid and /etc/subgid, or a directory service, give to a user (subuid(5)). */
import { readFile } from '../sys/read.ts'
import { outputOf } from './userns-programs.ts'

export interface Account {
  id: number
  /** Undefined for an id without an account. */
  name: string | undefined
}

export type IdKind = 'uid' | 'gid'

/** `start` is the first of `count` ids outside. */
export interface Range {
  start: number
  count: number
}

export const RANGES_FILE: Readonly<Record<IdKind, string>> = {
  uid: '/etc/subuid',
  gid: '/etc/subgid'
}

/** In the order in which the namespace gets them; empty if the user has none. */
export async function subordinateRanges(kind: IdKind, user: Account): Promise<Range[]> {
  const listed = rangesIn(content(RANGES_FILE[kind]), user)
  return withoutOverlaps(listed.length > 0 ? listed : await rangesFromService(kind, user), user.id)
}

/** The lines `NAME:START:COUNT` or `UID:START:COUNT` of a user; others, and those that are malformed, count as comments. */
export function rangesIn(text: string, { id, name }: Account): Range[] {
  return Array.from(
    text.matchAll(/^([^#:\s][^:\n]*):(\d{1,10}):(\d{1,10})[ \t\r]*$/gm),
    ([, owner, start, count]) => ({ owner, start: Number(start), count: Number(count) })
  )
    .filter(({ owner, count }) => count > 0 && (owner === name || owner === String(id)))
    .map(({ start, count }) => ({ start, count }))
}

/** The first id from 100000 (the default of login.defs) on that no line gives away. */
export function firstFree(text: string): number {
  const lines = Array.from(text.matchAll(/^[^#:\s][^:\n]*:(\d{1,10}):(\d{1,10})/gm))
  const ends = lines.map(([, start, count]) => Number(start) + Number(count))
  return Math.max(100_000, ...ends)
}

/** `getsubids` of shadow asks what `subid:` in nsswitch.conf names: `0: alice 2147483648 65536`. */
async function rangesFromService(kind: IdKind, { id, name }: Account): Promise<Range[]> {
  const group = kind === 'gid' ? ['-g'] : []
  const text = await outputOf('getsubids', [...group, name ?? String(id)])
  return Array.from((text ?? '').matchAll(/^\d+: \S+ (\d+) (\d+)$/gm), ([, start, count]) => ({
    start: Number(start),
    count: Number(count)
  }))
}

/** The kernel takes no id twice, and files often list a range twice. */
function withoutOverlaps(ranges: readonly Range[], own: number): Range[] {
  const taken: Range[] = [{ start: own, count: 1 }]
  for (const range of ranges) if (!taken.some((other) => overlap(range, other))) taken.push(range)
  return taken.slice(1, MOST_RANGES)
}

/** The kernel accepts 340 lines in a map, in a write of a page; maps of this length fit. */
const MOST_RANGES = 128

function overlap(a: Range, b: Range): boolean {
  return a.start < b.start + b.count && b.start < a.start + a.count
}

export function content(path: string): string {
  try {
    return readFile(path).toString('utf8')
  } catch {
    return ''
  }
}
