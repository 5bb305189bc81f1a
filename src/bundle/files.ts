/** Names inside a bundle (runtime-spec bundle.md and umoci's own). The only place that knows them. */
export const CONFIG_FILE = 'config.json'
export const ROOTFS_DIRECTORY = 'rootfs'
export const METADATA_FILE = 'umoci.json'

/** The mtree manifest of the tree that the image manifest `digest` unpacks to. */
export function manifestFile(digest: string): string {
  return `${stem(digest)}.mtree`
}

/** The fingerprints that belong to `manifestFile(digest)`. */
export function fingerprintsFile(digest: string): string {
  return `${stem(digest)}.fingerprints`
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
