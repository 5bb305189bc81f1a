/** Everything as the image has it, with ids mapped and without the attributes that the host owns. */
import type { Xattr } from '../../tar/entry.ts'
import { idNotMapped, toContainer, toHost, type IdMapping } from '../id-map.ts'
import { capabilitiesOfImage } from './capabilities.ts'
import { isHostXattr } from './host-xattrs.ts'
import type { MetadataPolicy } from './metadata-policy.ts'

/** Without mappings, ids stay as they are. */
export interface IdMaps {
  uidMap: readonly IdMapping[]
  gidMap: readonly IdMapping[]
}

export interface ExactChoice extends IdMaps {
  kind: 'exact'
}

export const exact: MetadataPolicy<IdMaps> = {
  toDisk({ type, mode, uid, gid, devMajor, devMinor, xattrs }, { uidMap, gidMap }) {
    return {
      type,
      mode,
      uid: mapped('uid', uid, uidMap),
      gid: mapped('gid', gid, gidMap),
      devMajor,
      devMinor,
      xattrs: withoutHostXattrs(xattrs)
    }
  },

  fromDisk({ type, mode, uid, gid, devMajor, devMinor, xattrs }, { uidMap, gidMap }) {
    return {
      type,
      mode,
      uid: unmapped('uid', uid, uidMap),
      gid: unmapped('gid', gid, gidMap),
      devMajor,
      devMinor,
      xattrs: capabilitiesOfImage(withoutHostXattrs(xattrs), uidMap)
    }
  },

  unheld({ xattrs }) {
    const left = xattrs.filter(([name]) => isHostXattr(name))
    return left.length === 0 ? {} : { xattrs: left }
  }
}

const NONE: readonly Xattr[] = []

function withoutHostXattrs(xattrs: readonly Xattr[]): readonly Xattr[] {
  return xattrs.length === 0 ? NONE : xattrs.filter(([name]) => !isHostXattr(name))
}

function mapped(kind: 'uid' | 'gid', id: number, maps: readonly IdMapping[]): number {
  const host = toHost(maps, id)
  if (host === undefined) throw idNotMapped(kind, 'container', id)
  return host
}

function unmapped(kind: 'uid' | 'gid', id: number, maps: readonly IdMapping[]): number {
  const container = toContainer(maps, id)
  if (container === undefined) throw idNotMapped(kind, 'host', id)
  return container
}
