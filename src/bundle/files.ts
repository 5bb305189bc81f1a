/** The names inside a bundle (runtime-spec bundle.md and umoci's own). Only this file knows them. */
export const CONFIG_FILE = 'config.json'
export const ROOTFS_DIRECTORY = 'rootfs'
export const METADATA_FILE = 'umoci.json'

/** The tree manifest of the image whose manifest has this digest. */
export function treeManifestFile(digest: string): string {
  return `${stem(digest)}.mtree`
}

/** The fingerprints that belong to `treeManifestFile(digest)`. */
export function fingerprintsFile(digest: string): string {
  return `${stem(digest)}.fingerprints`
}

/** What the image of `treeManifestFile(digest)` says of objects and the disk does not hold. Few bundles have it. */
export function unheldFile(digest: string): string {
  return `${stem(digest)}${UNHELD_END}`
}

export const UNHELD_END = '.unheld'

/** All files at the top of a bundle. @param digest digest of the image manifest; `''` if it is unknown */
export function bundleFileNames(digest: string): string[] {
  return [METADATA_FILE, CONFIG_FILE, ...(digest === '' ? [] : memoryFiles(digest))]
}

/** The files with what a bundle records about its tree. The last one need not exist. */
export function memoryFiles(digest: string): string[] {
  return [fingerprintsFile(digest), treeManifestFile(digest), unheldFile(digest)]
}

function stem(digest: string): string {
  return digest.replace(':', '_')
}

/** The directory in a bundle that hooks and this program use for their own files. */
export const STATE_DIRECTORY = '.oci-unpack'

/** In the state directory while the bundle is being made. */
export const UNFINISHED_FILE = 'unfinished'

/** In the state directory: what refreshed repacks have packed, in the form of a delta-list. */
export const PACKED_FILE = 'packed'

/** In the state directory: which hooks made the bundle. */
export const HOOKS_FILE = 'hooks.json'
