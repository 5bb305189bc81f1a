/**
 * The policy of `--rootless`, which needs no privileges: everything belongs to the user who unpacks. Owners are in the attribute
 * `user.rootlesscontainers` where a file can have one, and devices are empty files. Bundles of umoci are the same.
 */
import type { Xattr } from '../../tar/entry.ts'
import type { IdMapping } from '../id-map.ts'
import { capabilitiesOfImage } from './capabilities.ts'
import { exact, type IdMaps } from './exact.ts'
import type { MetadataPolicy, ObjectMetadata } from './metadata-policy.ts'
import { decodeOwner, encodeOwner, OWNER_XATTR } from './rootless-owner.ts'
import { deviceOf, standIn } from './stand-in.ts'

/** The maps are those of the runtime; they are recorded and change no owner. */
export interface RootlessChoice extends IdMaps {
  kind: 'rootless'
  /** Of the user who unpacks. */
  uid: number
  gid: number
  /** Whether what the disk does not hold is remembered. Otherwise it holds all that it can. */
  hasMemory: boolean
}

const NO_MAPS: IdMaps = { uidMap: [], gidMap: [] }

export const rootless: MetadataPolicy<RootlessChoice> = {
  toDisk(entry, { uid, gid, hasMemory }) {
    const object = standIn(exact.toDisk(entry, NO_MAPS))
    const owner = holdsOwner(object, hasMemory) ? encodeOwner(entry) : undefined
    const xattrs = withoutOwner(object.xattrs)
    return {
      ...object,
      uid,
      gid,
      xattrs: owner === undefined ? xattrs : [[OWNER_XATTR, owner], ...xattrs]
    }
  },

  fromDisk(object, { uid }) {
    const entry = exact.fromDisk(object, NO_MAPS)
    const owner = entry.xattrs.find(([name]) => name === OWNER_XATTR)?.[1] ?? ''
    // what the user's own namespaces have set
    const xattrs = capabilitiesOfImage(withoutOwner(entry.xattrs), uid === 0 ? [] : [onlyRoot(uid)])
    return { ...entry, ...decodeOwner(owner), xattrs }
  },

  unheld(entry, { hasMemory }) {
    const { xattrs = [] } = exact.unheld(entry, NO_MAPS)
    const left = [...xattrs, ...entry.xattrs.filter(([name]) => name === OWNER_XATTR)]
    const { uid, gid } = entry
    const isRoot = uid === 0 && gid === 0
    return {
      ...deviceOf(entry),
      ...(isRoot || holdsOwner(standIn(entry), hasMemory) ? {} : { uid, gid }),
      ...(left.length === 0 ? {} : { xattrs: left })
    }
  }
}

function onlyRoot(hostId: number): IdMapping {
  return { containerId: 0, hostId, size: 1 }
}

function withoutOwner(xattrs: readonly Xattr[]): readonly Xattr[] {
  return xattrs.length === 0 ? xattrs : xattrs.filter(([name]) => name !== OWNER_XATTR)
}

/**
 * The kernel allows `user.*` attributes on files and directories only (xattr(7)), and reading them only to those who may read
 * the object: umoci fails where it sees an attribute that it cannot read.
 */
function holdsOwner({ type, mode }: ObjectMetadata, hasMemory: boolean): boolean {
  return (type === 'file' || type === 'directory') && (!hasMemory || (mode & OWNER_READS) !== 0)
}

const OWNER_READS = 0o400
