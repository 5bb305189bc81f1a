/** The document beside EROFS images that says which belong together, in which order, and what is in them. */
import type { Digest } from '../../image/digest.ts'

/** The only version that there is. */
export const IMAGE_SET_VERSION = 1

export const IMAGE_SET_FILE = 'erofs.json'

/** Names are those of files in the same directory. */
export interface ImageSet {
  formatVersion: 1
  image: {
    /** Of the image manifest. */
    digest: Digest
    chainId: Digest
  }
  /** Has the names and the metadata of the whole image. The bodies of its files are on the devices. */
  merged: ErofsFile
  /** The images of the layers, bottom first: the order in which a mount needs them. */
  devices: (ErofsFile & { diffId: Digest })[]
  /** Says the same as `merged`, for guests that are too old for a disk that begins with that. */
  linear?: ErofsFile
  /** Describes one disk for virtual machines: `linear` or else `merged`, and then all devices in their order. */
  disk?: ErofsFile
  /** The hash trees for dm-verity of all layers, bottom first, each once, and of `merged`. */
  verity?: VerityFile[]
}

export interface ErofsFile {
  name: string
  digest: Digest
  /** Bytes. */
  size: number
}

/** A file that begins with the superblock of veritysetup(8). */
export interface VerityFile extends ErofsFile {
  /** The name of the image whose blocks it is about. */
  file: string
  /** SHA-256 without a salt, in hex. */
  rootHash: string
}
