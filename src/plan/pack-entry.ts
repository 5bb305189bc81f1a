/** How an object on disk is written into a layer: the way back of `policy.ts`. Pure. */
import { display, type ByteString } from '../bytes.ts'
import { withFacts } from '../errors.ts'
import type { EntryType, TarEntry, Timespec, Xattr } from '../tar/entry.ts'
import { idNotMapped, toContainer, type IdMapping } from './id-map.ts'
import { whiteoutName } from './layer-items.ts'
import { joinPath, OPAQUE_NAME } from './names.ts'
import { NO_METADATA } from './no-metadata.ts'
import { isHostXattr } from './policy.ts'

export interface PackRules {
  uidMap: readonly IdMapping[]
  gidMap: readonly IdMapping[]
  /** SOURCE_DATE_EPOCH in seconds: later modification times are set to it. */
  epoch: number | undefined
}

/** An object as it lies on disk. */
export interface PackedObject {
  type: Exclude<EntryType, 'hardlink'>
  link: ByteString
  mode: number
  uid: number
  gid: number
  size: number
  mtime: Timespec
  devMajor: number
  devMinor: number
  xattrs: readonly Xattr[]
}

/** @throws ID_NOT_MAPPED */
export function packObject(name: ByteString, object: PackedObject, rules: PackRules): TarEntry {
  const isDevice = object.type === 'char' || object.type === 'block'
  try {
    return {
      type: object.type,
      name: object.type === 'directory' && name !== '.' ? `${name}/` : name,
      link: object.link,
      mode: object.mode,
      uid: unmapped('uid', object.uid, rules.uidMap),
      gid: unmapped('gid', object.gid, rules.gidMap),
      size: object.type === 'file' ? object.size : 0,
      mtime: clamp(object.mtime, rules.epoch),
      devMajor: isDevice ? object.devMajor : 0,
      devMinor: isDevice ? object.devMinor : 0,
      xattrs: object.xattrs.filter(([key]) => !isHostXattr(key)),
      offset: 0
    }
  } catch (error) {
    throw withFacts(error, { entry: display(name) })
  }
}

/**
 * A further name for what the layer already holds as `first`. It repeats the attributes, as umoci's do: readers that
 * change the owner for each name (Docker's, containerd's) lose capabilities by that, and set them anew from here.
 */
export function packHardlink(entry: TarEntry, name: ByteString, first: ByteString): TarEntry {
  return { ...entry, type: 'hardlink', name, link: first, size: 0 }
}

/** Everything but its name is zero, as umoci writes it. */
export function packWhiteout(path: ByteString): TarEntry {
  return bare(whiteoutName(path))
}

/** Hides all that layers below have in the directory. */
export function packOpaque(directory: ByteString): TarEntry {
  return bare(joinPath(directory, OPAQUE_NAME))
}

function bare(name: ByteString): TarEntry {
  return { ...NO_METADATA, type: 'file', name, offset: 0 }
}

function unmapped(kind: 'uid' | 'gid', id: number, maps: readonly IdMapping[]): number {
  const container = toContainer(maps, id)
  if (container === undefined) throw idNotMapped(kind, 'host', id)
  return container
}

function clamp(mtime: Timespec, epoch: number | undefined): Timespec {
  if (epoch === undefined || mtime.sec < epoch) return mtime
  return { sec: epoch, nsec: 0 }
}
