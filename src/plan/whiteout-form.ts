/**
 * How the directory of a layer says what it hides of the layers below, and how an image is kept from saying so.
 * Follows Documentation/filesystems/overlayfs.rst of the kernel, "whiteouts and opaque directories" and "nesting
 * overlayfs mounts".
 */
import type { ByteString } from '../bytes.ts'

/**
 * `overlay` and `overlay-userxattr` (mount option `userxattr`) are what the kernel reads; they differ in the
 * attributes' namespace. `none`: the image's own `.wh.` files, for whoever merges layers himself.
 */
export type WhiteoutForm = 'overlay' | 'overlay-userxattr' | 'none'

/** Where an overlay mount keeps its own attributes. */
export type OverlayNamespace = 'trusted.overlay.' | 'user.overlay.'

export function overlayNamespace(form: WhiteoutForm): OverlayNamespace | undefined {
  switch (form) {
    case 'overlay':
      return 'trusted.overlay.'
    case 'overlay-userxattr':
      return 'user.overlay.'
    case 'none':
      return undefined
  }
}

/** The kernel takes one `overlay.` off such a name when it shows it (Linux 6.7; older ones hide the attribute). */
export function escapeXattr(name: ByteString, namespace: OverlayNamespace): ByteString {
  if (!name.startsWith(namespace)) return name
  return `${namespace}overlay.${name.slice(namespace.length)}`
}

/** Whether an attribute on disk belongs to the mount, not to the image. */
export function isOverlayXattr(name: ByteString, namespace: OverlayNamespace): boolean {
  return name.startsWith(namespace) && !name.startsWith(`${namespace}overlay.`)
}

/** Overlayfs has no other character device 0:0. */
export function isWhiteoutDevice(device: {
  type: string
  devMajor: number
  devMinor: number
}): boolean {
  return device.type === 'char' && device.devMajor === 0 && device.devMinor === 0
}
