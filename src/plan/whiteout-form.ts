/**
 * How the directory of a layer marks what it hides of the layers below. Follows Documentation/filesystems/overlayfs.rst
 * of the kernel, "whiteouts and opaque directories".
 */

/**
 * `overlay` and `overlay-userxattr` (mount option `userxattr`) are the forms that the kernel reads; they differ in the
 * namespace of the attributes. `none`: the image's own `.wh.` files, for programs that merge layers themselves.
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

/** In overlayfs, every character device 0:0 is a whiteout. */
export function isWhiteoutDevice(device: {
  type: string
  devMajor: number
  devMinor: number
}): boolean {
  return device.type === 'char' && device.devMajor === 0 && device.devMinor === 0
}
