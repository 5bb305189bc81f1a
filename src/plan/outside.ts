/**
 * A bundle that was made in a user namespace for use outside of it: everything it says about its tree (id maps, owners
 * and capabilities in the tree manifest) is as it looks from outside. A process in such a namespace sees other ids, so it
 * translates what it sees before it compares or writes.
 */
import type { Xattr } from '../tar/entry.ts'
import { toHost, type IdMapping } from './id-map.ts'
import { capabilitiesOutside } from './policy/capabilities.ts'
import type { IdMaps } from './policy/exact.ts'

/** Nothing is translated. */
export const AS_SEEN: IdMaps = { uidMap: [], gidMap: [] }

interface Owners {
  uid: number
  gid: number
}

export function ownersOutside({ uid, gid }: Owners, { uidMap, gidMap }: IdMaps): Owners {
  return { uid: toHost(uidMap, uid) ?? uid, gid: toHost(gidMap, gid) ?? gid }
}

export function xattrsOutside(xattrs: readonly Xattr[], { uidMap }: IdMaps): readonly Xattr[] {
  return capabilitiesOutside(xattrs, uidMap)
}

/**
 * Whether a bundle has the maps of this namespace, so that the kernel already applies them. Since then the user may
 * have got more ids. One map of a single id may also come from a flag, and is that of a namespace only if it is all of it.
 */
export function areMapsOf(namespace: IdMaps, recorded: IdMaps): boolean {
  return isPartOf(namespace.uidMap, recorded.uidMap) && isPartOf(namespace.gidMap, recorded.gidMap)
}

function isPartOf(namespace: readonly IdMapping[], recorded: readonly IdMapping[]): boolean {
  if (recorded.length === 0 || (recorded.length === 1 && namespace.length > 1)) return false
  return recorded.every((part) => namespace.some((whole) => contains(whole, part)))
}

/** Sizes may differ: `unshare --map-auto` leaves out the last id of a range. */
function contains(whole: IdMapping, part: IdMapping): boolean {
  const skipped = part.containerId - whole.containerId
  return skipped >= 0 && skipped < whole.size && part.hostId - whole.hostId === skipped
}
