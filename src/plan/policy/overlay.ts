/**
 * The policy for the directory of a layer that an overlay mount shows: like `exact`, but nothing in it may look like
 * one of the mount's own marks. Follows Documentation/filesystems/overlayfs.rst of the kernel, "nesting overlayfs
 * mounts".
 */
import type { ByteString } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import type { Xattr } from '../../tar/entry.ts'
import { isWhiteoutDevice, type OverlayNamespace } from '../whiteout-form.ts'
import { exact, type ExactChoice } from './exact.ts'
import { limited, type LimitedChoice } from './limited.ts'
import type { MetadataPolicy, ObjectMetadata } from './metadata-policy.ts'
import { rootless, type RootlessChoice } from './rootless.ts'

/** A policy for a tree without marks. */
export type PlainChoice = ExactChoice | LimitedChoice | RootlessChoice

export interface OverlayChoice {
  kind: 'overlay'
  /** Where the mount keeps its own attributes. */
  namespace: OverlayNamespace
  /** Decides about everything else. */
  under: PlainChoice
}

const PLAIN: Readonly<Record<PlainChoice['kind'], MetadataPolicy<PlainChoice>>> = {
  exact,
  limited,
  rootless
}

export const overlay: MetadataPolicy<OverlayChoice> = {
  toDisk(entry, { namespace, under }) {
    const object = PLAIN[under.kind].toDisk(entry, under)
    if (isWhiteoutDevice(object)) throw hiddenDevice()
    return withXattrs(object, escaped(object.xattrs, namespace))
  },

  fromDisk(object, { namespace, under }) {
    return PLAIN[under.kind].fromDisk(
      withXattrs(object, unescaped(object.xattrs, namespace)),
      under
    )
  },

  unheld: (entry, { under }) => PLAIN[under.kind].unheld(entry, under)
}

function withXattrs(object: ObjectMetadata, xattrs: readonly Xattr[]): ObjectMetadata {
  return object.xattrs.length === 0 ? object : { ...object, xattrs }
}

/**
 * The kernel removes one `overlay.` from such a name when it shows it (Linux 6.7; older kernels hide the attribute).
 */
function escaped(xattrs: readonly Xattr[], namespace: OverlayNamespace): readonly Xattr[] {
  return xattrs.map(([name, value]) => [
    name.startsWith(namespace) ? `${namespace}${LEVEL}${name.slice(namespace.length)}` : name,
    value
  ])
}

/** Attributes in the namespace without another level belong to the mount, not to the image. */
function unescaped(xattrs: readonly Xattr[], namespace: OverlayNamespace): readonly Xattr[] {
  return xattrs.flatMap(([name, value]): Xattr[] => {
    if (!name.startsWith(namespace)) return [[name, value]]
    const inner = innerName(name, namespace)
    return inner === undefined ? [] : [[inner, value]]
  })
}

function innerName(name: ByteString, namespace: OverlayNamespace): ByteString | undefined {
  const level = `${namespace}${LEVEL}`
  return name.startsWith(level) ? namespace + name.slice(level.length) : undefined
}

const LEVEL = 'overlay.'

/** No overlay mount can show such a device: the kernel can escape only attributes. */
function hiddenDevice(): OciUnpackError {
  return new OciUnpackError(
    'ENTRY_INVALID',
    'A layer for overlay mounts cannot contain this device.',
    {
      facts: {
        found: 'character device 0:0',
        reason: 'overlayfs treats it as a whiteout'
      },
      hint: 'Neither EROFS images of layers nor hooks that keep layers for overlay mounts can hold it. Unpack the image without hooks.'
    }
  )
}
