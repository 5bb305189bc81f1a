/**
 * What of an entry's metadata reaches the disk. The one place that knows why a tree on disk may differ from
 * its image: id maps and attributes that belong to the host (and, for builds without root, what a plain user
 * cannot have).
 */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { TarEntry, Xattr } from '../tar/entry.ts'
import { idNotMapped, toHost, type IdMapping } from './id-map.ts'
import { cleanPath, readName } from './names.ts'
import { bareEntry, STAGED_NOWHERE, type StagedEntry } from './staged-entry.ts'
import { escapeXattr, isWhiteoutDevice, type OverlayNamespace } from './whiteout-form.ts'

/** How ids and attributes are written. A closed union: options of one kind cannot leak into another. */
export interface MetadataPolicy {
  kind: 'exact'
  uidMap: readonly IdMapping[]
  gidMap: readonly IdMapping[]
}

/**
 * Attributes that the host's kernel owns: never set from an image, never packed (as umoci does). XFS shows each POSIX
 * ACL a second time, in its own form.
 */
const HOST_XATTRS: ReadonlySet<ByteString> = new Set([
  'security.selinux',
  'system.nfs4_acl',
  'trusted.SGI_ACL_FILE',
  'trusted.SGI_ACL_DEFAULT'
])

export function isHostXattr(name: ByteString): boolean {
  return HOST_XATTRS.has(name)
}

/** Largest device numbers that mknod(2) takes: 12 bits of major, 20 of minor. */
const MAX_MAJOR = 0xfff
const MAX_MINOR = 0xfffff

export interface EntryRules {
  policy: MetadataPolicy
  maxPathBytes: number
  /** Set where the tree becomes a layer of an overlay mount: the attributes that the mount takes for its own. */
  overlay?: OverlayNamespace | undefined
}

/**
 * The entry as it will be on disk, not staged yet.
 * @throws ENTRY_INVALID, ID_NOT_MAPPED, LIMIT_EXCEEDED
 */
export function planEntry(entry: TarEntry, rules: EntryRules): StagedEntry {
  const target = readName(entry.name, rules.maxPathBytes)
  if (target.kind !== 'entry') return bareEntry(target.kind, target.path)
  if (entry.type === 'hardlink') return hardlink(target.path, entry, rules)
  checkDevice(entry, rules)
  return {
    type: entry.type,
    path: target.path,
    link: checkedLink(entry, rules),
    mode: entry.mode,
    uid: mapped('uid', entry.uid, rules.policy.uidMap),
    gid: mapped('gid', entry.gid, rules.policy.gidMap),
    size: entry.size,
    mtime: entry.mtime,
    ...(entry.atime === undefined ? {} : { atime: entry.atime }),
    devMajor: entry.devMajor,
    devMinor: entry.devMinor,
    xattrs: entry.xattrs.length === 0 ? NO_XATTRS : xattrsForDisk(entry, rules),
    staged: STAGED_NOWHERE
  }
}

const NO_XATTRS: readonly Xattr[] = []

function xattrsForDisk({ xattrs }: TarEntry, { overlay }: EntryRules): readonly Xattr[] {
  const wanted = xattrs.filter(([name]) => !isHostXattr(name))
  if (overlay === undefined) return wanted
  return wanted.map(([name, value]) => [escapeXattr(name, overlay), value])
}

/** A hard link's own metadata is ignored: it names an inode that has some. */
function hardlink(path: ByteString, entry: TarEntry, rules: EntryRules): StagedEntry {
  return bareEntry('hardlink', path, cleanPath(checkedLink(entry, rules)))
}

function checkedLink(entry: TarEntry, rules: EntryRules): ByteString {
  if (entry.link.length <= rules.maxPathBytes) return entry.link
  throw new OciUnpackError('LIMIT_EXCEEDED', 'A link target is too long.', {
    facts: { entry: display(entry.name), expected: `at most ${rules.maxPathBytes} bytes` }
  })
}

function mapped(kind: 'uid' | 'gid', id: number, maps: readonly IdMapping[]): number {
  const host = toHost(maps, id)
  if (host === undefined) throw idNotMapped(kind, 'container', id)
  return host
}

function checkDevice(entry: TarEntry, { overlay }: EntryRules): void {
  if (entry.type !== 'char' && entry.type !== 'block') return
  if (overlay !== undefined && isWhiteoutDevice(entry)) throw hiddenDevice(entry)
  if (inRange(entry.devMajor, MAX_MAJOR) && inRange(entry.devMinor, MAX_MINOR)) return
  throw new OciUnpackError('ENTRY_INVALID', 'A device has a number that Linux cannot have.', {
    facts: { entry: display(entry.name), found: `${entry.devMajor}:${entry.devMinor}` }
  })
}

function inRange(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max
}

/** No mount shows such a device, whatever is done to it: the kernel can escape attributes only. */
function hiddenDevice(entry: TarEntry): OciUnpackError {
  return new OciUnpackError(
    'ENTRY_INVALID',
    'A layer of an overlay mount cannot hold this device.',
    {
      facts: {
        entry: display(entry.name),
        found: 'character device 0:0',
        reason: 'overlayfs takes it for a whiteout'
      },
      hint: 'Unpack this image without a hook set that extracts to overlay layers.'
    }
  )
}
