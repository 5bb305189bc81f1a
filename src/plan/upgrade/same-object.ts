/** Whether two objects are the same for an upgrade: everything but their times, and what is in directories. Pure. */
import type { MtreeEntry } from '../../mtree/entry.ts'
import type { Xattr } from '../../tar/entry.ts'

/** An object in a tree manifest's terms, on any of the sides. */
export interface SeenEntry {
  /** Its path, times and digest are not looked at. */
  entry: MtreeEntry
  /** SHA-256 (hex) of a file's content; undefined if nobody knows it. Asked for only if it decides. */
  sha256: () => string | undefined
  /** Major and minor number of a device; undefined if nobody knows it. */
  device: string | undefined
}

export function isDirectoryEntry({ entry }: SeenEntry): boolean {
  return entry.type === 'dir'
}

/** @param isRootless whether owners on disk say nothing */
export function isSameObject(one: SeenEntry, other: SeenEntry, isRootless: boolean): boolean {
  const [a, b] = [one.entry, other.entry]
  if (a.type !== b.type) return false
  if (!isRootless && (a.uid !== b.uid || a.gid !== b.gid)) return false
  switch (a.type) {
    case 'link':
      return a.link === b.link && a.nlink === b.nlink
    case 'dir':
      return a.mode === b.mode && areSameXattrs(a.xattrs, b.xattrs)
    case 'file':
      return (
        a.mode === b.mode &&
        a.size === b.size &&
        a.nlink === b.nlink &&
        areSameXattrs(a.xattrs, b.xattrs) &&
        isSameContent(one, other)
      )
    default:
      return a.mode === b.mode && a.nlink === b.nlink && isSameDevice(one.device, other.device)
  }
}

/** A content that nobody knows is another one, so that nothing is guessed. */
function isSameContent(one: SeenEntry, other: SeenEntry): boolean {
  if (one.entry.size === 0) return true
  const digest = one.sha256()
  return digest !== undefined && digest === other.sha256()
}

/** Tree manifests do not state numbers. */
function isSameDevice(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other
}

function areSameXattrs(one: readonly Xattr[], other: readonly Xattr[]): boolean {
  if (one.length !== other.length) return false
  const values = new Map(one)
  return other.every(([name, value]) => values.get(name) === value)
}
