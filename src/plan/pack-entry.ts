/** How an object on disk is written into a layer: the reverse of `plan-entry.ts`. Pure. */
import { display, type ByteString } from '../bytes.ts'
import { withFacts } from '../errors.ts'
import type { TarEntry, Timespec, Xattr } from '../tar/entry.ts'
import { whiteoutName } from './layer-paths.ts'
import { joinPath, OPAQUE_NAME } from './names.ts'
import { NO_METADATA } from './no-metadata.ts'
import type { ObjectMetadata, Unheld } from './policy/metadata-policy.ts'
import { assertAclsKnown } from './policy/acl.ts'
import { fromDisk, type PolicyChoice } from './policy/policies.ts'
import { OWNER_XATTR } from './policy/rootless-owner.ts'

export interface PackRules {
  /** The policy that the tree was unpacked with. */
  policy: PolicyChoice
  /** SOURCE_DATE_EPOCH in seconds: later modification times are reduced to it. */
  epoch: number | undefined
}

/** An object as it is on disk. */
export interface PackedObject extends ObjectMetadata {
  link: ByteString
  size: number
  mtime: Timespec
}

/** @param unheld what the image says of the object and its disk does not @throws ENTRY_INVALID, ID_NOT_MAPPED */
export function packObject(
  name: ByteString,
  object: PackedObject,
  rules: PackRules,
  unheld: Unheld = {}
): TarEntry {
  const held = metadata(name, object, rules)
  const { type, mode, uid, gid, devMajor, devMinor } = { ...held, ...notSetSince(object, unheld) }
  const xattrs = together(held.xattrs, unheld.xattrs)
  const isDevice = type === 'char' || type === 'block'
  return {
    type,
    name: type === 'directory' && name !== '.' ? `${name}/` : name,
    link: object.link,
    mode,
    uid,
    gid,
    size: type === 'file' ? object.size : 0,
    mtime: clamp(object.mtime, rules.epoch),
    devMajor: isDevice ? devMajor : 0,
    devMinor: isDevice ? devMinor : 0,
    xattrs,
    offset: 0
  }
}

function metadata(name: ByteString, object: PackedObject, { policy }: PackRules): ObjectMetadata {
  try {
    assertAclsKnown(object.xattrs)
    return fromDisk(object, policy)
  } catch (error) {
    throw withFacts(error, { entry: display(name) })
  }
}

/** An owner that somebody has set since is the one that counts. */
function notSetSince({ xattrs }: PackedObject, unheld: Unheld): Unheld {
  if (!xattrs.some(([name]) => name === OWNER_XATTR)) return unheld
  const others = { ...unheld }
  delete others.uid
  delete others.gid
  return others
}

/** An attribute that somebody has set since is the one that counts. */
function together(held: readonly Xattr[], unheld: readonly Xattr[] = []): readonly Xattr[] {
  const names = new Set(held.map(([name]) => name))
  return [...held, ...unheld.filter(([name]) => !names.has(name))]
}

/**
 * Another name for what the layer already contains as `first`. It repeats the attributes, as in umoci: readers that
 * change the owner for each name (Docker, containerd) lose capabilities by that, and set them again from here.
 */
export function packHardlink(entry: TarEntry, name: ByteString, first: ByteString): TarEntry {
  return { ...entry, type: 'hardlink', name, link: first, size: 0 }
}

/** Everything but its name is zero, as umoci writes it. */
export function packWhiteout(path: ByteString): TarEntry {
  return bare(whiteoutName(path))
}

/** The marker that hides everything that layers below have in the directory. */
export function packOpaque(directory: ByteString): TarEntry {
  return bare(joinPath(directory, OPAQUE_NAME))
}

function bare(name: ByteString): TarEntry {
  return { ...NO_METADATA, type: 'file', name, offset: 0 }
}

function clamp(mtime: Timespec, epoch: number | undefined): Timespec {
  if (epoch === undefined || mtime.sec < epoch) return mtime
  return { sec: epoch, nsec: 0 }
}
