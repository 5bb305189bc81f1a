/** The names of keywords, with their aliases. */
import type { MtreeEntry } from './entry.ts'

/** Keywords that are fields of an entry. Xattrs are separate, because an entry can have any number of them. */
const TYPED = [
  ['type', 'type'],
  ['size', 'size'],
  ['uid', 'uid'],
  ['gid', 'gid'],
  ['mode', 'mode'],
  ['nlink', 'nlink'],
  ['link', 'link'],
  ['tar_time', 'mtimeSec'],
  ['time', 'time'],
  ['sha256digest', 'sha256']
] as const satisfies readonly (readonly [string, keyof MtreeEntry])[]

const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['md5', 'md5digest'],
  ['sha1', 'sha1digest'],
  ['sha256', 'sha256digest'],
  ['sha384', 'sha384digest'],
  ['sha512', 'sha512digest'],
  ['rmd160', 'ripemd160digest'],
  ['rmd160digest', 'ripemd160digest'],
  ['ripemd160', 'ripemd160digest'],
  ['xattrs', 'xattr']
])

/** Keywords of FreeBSD, NetBSD, libarchive and go-mtree that are kept as text. */
const KNOWN_OTHERS: ReadonlySet<string> = new Set([
  'cksum',
  'contents',
  'device',
  'flags',
  'gname',
  'ignore',
  'inode',
  'nochange',
  'optional',
  'resdevice',
  'tags',
  'uname',
  'md5digest',
  'sha1digest',
  'sha384digest',
  'sha512digest',
  'ripemd160digest'
])

/** The canonical name of a keyword; for an xattr, the keyword without the attribute's name. */
export function canonicalKeyword(keyword: string): string {
  const prefix = keyword.startsWith('xattr') ? keyword.replace(/\..*/s, '') : keyword
  return SYNONYMS.get(prefix) ?? prefix
}

const KNOWN: ReadonlySet<string> = new Set([
  ...TYPED.map(([keyword]) => keyword),
  'xattr',
  ...KNOWN_OTHERS
])

/** Whether some mtree defines a keyword, given by its canonical name. */
export function isKnownKeyword(canonical: string): boolean {
  return KNOWN.has(canonical)
}

/** Canonical names of all keywords that occur, and those of them that no mtree defines. */
export function keywordsOf(entries: readonly MtreeEntry[]): {
  keywords: Set<string>
  unknownKeywords: string[]
} {
  const others = new Set<string>()
  const typed = new Map(TYPED.map(([keyword, field]) => [keyword, field]))
  const keywords = new Set<string>()
  for (const entry of entries) {
    for (const [keyword, field] of typed) {
      if (entry[field] === undefined) continue
      keywords.add(keyword)
      typed.delete(keyword)
    }
    if (entry.xattrs.length > 0) keywords.add('xattr')
    for (const keyword of entry.other?.keys() ?? []) others.add(keyword)
  }
  const unknownKeywords = [...others].filter((keyword) => !KNOWN_OTHERS.has(keyword))
  return { keywords: new Set([...keywords, ...others]), unknownKeywords }
}
