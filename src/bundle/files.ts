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
