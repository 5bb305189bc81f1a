/**
 * The policy for the directory of a layer that an overlay mount shows: like `exact`, but nothing in it may look like
 * one of the mount's own marks. Follows Documentation/filesystems/overlayfs.rst of the kernel, "nesting overlayfs
 * mounts".
 */
import type { ByteString } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import type { Xattr } from '../../tar/entry.ts'
import { isWhiteoutDevice, type OverlayNamespace } from '../whiteout-form.ts'
import { exact, type IdMaps } from './exact.ts'
import type { MetadataPolicy } from './metadata-policy.ts'

export interface OverlayChoice extends IdMaps {
  kind: 'overlay'
  /** Where the mount keeps its own attributes. */
  namespace: OverlayNamespace
}

export const overlay: MetadataPolicy<OverlayChoice> = {
  toDisk(entry, choice) {
    if (isWhiteoutDevice(entry)) throw hiddenDevice()
    const object = exact.toDisk(entry, choice)
    if (object.xattrs.length > 0) object.xattrs = escaped(object.xattrs, choice.namespace)
    return object
  },

  fromDisk(object, choice) {
    const entry = exact.fromDisk(object, choice)
    if (entry.xattrs.length > 0) entry.xattrs = unescaped(entry.xattrs, choice.namespace)
    return entry
  },

  unheld: (entry, choice) => exact.unheld(entry, choice)
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
    'A layer of an overlay mount cannot contain this device.',
    {
      facts: {
        found: 'character device 0:0',
        reason: 'overlayfs treats it as a whiteout'
      },
      hint: 'Unpack this image without a hook set that extracts to overlay layers.'
    }
  )
}
