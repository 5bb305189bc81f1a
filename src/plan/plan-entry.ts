/** How an entry of a layer will be on disk: names cleaned, limits checked, metadata according to the policy. Pure. */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { TarEntry } from '../tar/entry.ts'
import { cleanPath, readName } from './names.ts'
import type { ObjectMetadata } from './policy/metadata-policy.ts'
import { toDisk, unheldOf, type PolicyChoice } from './policy/policies.ts'
import { bareEntry, STAGED_NOWHERE, type StagedEntry } from './staged-entry.ts'

export interface EntryRules {
  policy: PolicyChoice
  maxPathBytes: number
}

/** Largest device numbers that mknod(2) accepts: 12 bits for major, 20 for minor. */
const MAX_MAJOR = 0xfff
const MAX_MINOR = 0xfffff

/**
 * The entry as it will be on disk, not staged yet.
 * @throws ENTRY_INVALID, ID_NOT_MAPPED, LIMIT_EXCEEDED
 */
export function planEntry(entry: TarEntry, { policy, maxPathBytes }: EntryRules): StagedEntry {
  const target = readName(entry.name, maxPathBytes)
  if (target.kind !== 'entry') return bareEntry(target.kind, target.path)
  const link = checkedLink(entry, maxPathBytes)
  // A hard link's own metadata is ignored: the inode that it names has its own.
  if (!hasMetadata(entry)) return bareEntry('hardlink', target.path, cleanPath(link))
  checkDevice(entry)
  const { type, mode, uid, gid, devMajor, devMinor, xattrs } = toDisk(entry, policy)
  const unheld = unheldOf(entry, policy)
  return {
    type,
    path: target.path,
    link,
    mode,
    uid,
    gid,
    size: type === entry.type ? entry.size : 0,
    mtime: entry.mtime,
    ...(entry.atime === undefined ? {} : { atime: entry.atime }),
    devMajor,
    devMinor,
    xattrs,
    ...(unheld === undefined ? {} : { unheld }),
    staged: STAGED_NOWHERE
  }
}

function hasMetadata(entry: TarEntry): entry is TarEntry & ObjectMetadata {
  return entry.type !== 'hardlink'
}

function checkedLink(entry: TarEntry, maxPathBytes: number): ByteString {
  if (entry.link.length <= maxPathBytes) return entry.link
  throw new OciUnpackError('LIMIT_EXCEEDED', 'A link target is too long.', {
    facts: { entry: display(entry.name), expected: `at most ${maxPathBytes} bytes` }
  })
}

function checkDevice(entry: TarEntry): void {
  if (entry.type !== 'char' && entry.type !== 'block') return
  if (inRange(entry.devMajor, MAX_MAJOR) && inRange(entry.devMinor, MAX_MINOR)) return
  throw new OciUnpackError('ENTRY_INVALID', 'A device has a number that Linux does not support.', {
    facts: { entry: display(entry.name), found: `${entry.devMajor}:${entry.devMinor}` }
  })
}

function inRange(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max
}
