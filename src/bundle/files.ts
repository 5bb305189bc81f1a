/** Names inside a bundle (runtime-spec bundle.md and umoci's own). The only place that knows them. */
export const CONFIG_FILE = 'config.json'
export const ROOTFS_DIRECTORY = 'rootfs'
export const METADATA_FILE = 'umoci.json'

/** The mtree manifest of the tree that the image manifest `digest` unpacks to. */
export function treeManifestFile(digest: string): string {
  return `${stem(digest)}.mtree`
}

/** The fingerprints that belong to `treeManifestFile(digest)`. */
export function fingerprintsFile(digest: string): string {
  return `${stem(digest)}.fingerprints`
}

/** All files at the top of a bundle. @param digest of its image manifest; `''` if it is not known */
export function bundleFileNames(digest: string): string[] {
  return [METADATA_FILE, CONFIG_FILE, ...(digest === '' ? [] : memoryFiles(digest))]
}

/** What a bundle remembers of its tree. */
export function memoryFiles(digest: string): string[] {
  return [fingerprintsFile(digest), treeManifestFile(digest)]
}

function stem(digest: string): string {
  return digest.replace(':', '_')
}

/** What hooks and this program keep of a bundle for themselves. */
export const STATE_DIRECTORY = '.oci-unpack'

/** In the state directory while the bundle is being made. */
export const UNFINISHED_FILE = 'unfinished'

/** In the state directory: which hooks made the bundle. */
export const HOOKS_FILE = 'hooks.json'
