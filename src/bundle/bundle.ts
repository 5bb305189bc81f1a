import { createHash } from 'node:crypto'
import { fromBuffer, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { ManifestEntry } from '../mtree/entry.ts'
import { parseManifest, type Manifest } from '../mtree/parse.ts'
import { fingerprintsFile, manifestFile, METADATA_FILE } from './files.ts'
import { decodeFingerprints, isUnchanged, recordAt, type FileStat } from './fingerprints.ts'
import type { FingerprintRecord, Fingerprints, Unusable } from './fingerprints.ts'
import { parseMetadata, sourceManifest, type BundleMetadata } from './metadata.ts'

/** What a bundle knows about itself, be it ours or umoci's. */
export interface BundleState {
  metadata: BundleMetadata
  manifest: Manifest
  /** umoci's bundles have none. */
  fingerprints: Fingerprints | Unusable | 'absent'
}

/** The bytes of a file at the top of the bundle, or undefined where there is none. */
export type ReadBundleFile = (name: string) => Uint8Array | undefined

/**
 * Reads what an earlier unpack, ours or umoci's, left beside the rootfs.
 * @throws BUNDLE_INVALID for files that are missing or damaged, MTREE_INVALID for a manifest that cannot be read
 */
export function readBundle(read: ReadBundleFile): BundleState {
  const metadata = parseMetadata(Buffer.from(requireFile(read, METADATA_FILE)).toString('utf8'))
  const { digest } = sourceManifest(metadata)
  const bytes = requireFile(read, manifestFile(digest))
  const manifest = parseWhole(bytes)
  const prints = read(fingerprintsFile(digest))
  return { metadata, manifest, fingerprints: decode(prints, bytes, manifest) }
}

/** What a cut manifest does not list would look new, and what is deleted of it would not be missed. */
function parseWhole(bytes: Uint8Array): Manifest {
  const manifest = parseManifest(fromBuffer(bytes))
  const root = manifest.entries[0]
  if (manifest.isClosed && root?.path === '.' && root.type === 'dir') return manifest
  throw new OciUnpackError('MTREE_INVALID', 'The manifest does not describe a whole tree.', {
    hint: 'The manifest was damaged or edited. Restore it, or unpack the image again.'
  })
}

/** What the bundle remembers of one path. */
export interface Remembered {
  entry: ManifestEntry
  /** Undefined where there is no usable fingerprint. */
  record: FingerprintRecord | undefined
}

/** The memory of a bundle, by path. */
export interface Memory {
  /** The entry of a file that surely did not change since, so that nobody need read the file again. */
  unchanged: (path: ByteString, stat: FileStat) => ManifestEntry | undefined
  recall: (path: ByteString) => Remembered | undefined
  /** Device of the tree when it was scanned: on another one, it was copied since. Undefined: not known. */
  readonly device: number | bigint | undefined
}

export function memoryOf({ fingerprints, manifest }: BundleState): Memory {
  const { entries } = manifest
  const indexes = new Map(entries.map(({ path }, index) => [path, index]))
  const prints = typeof fingerprints === 'string' ? undefined : fingerprints
  return {
    device: prints?.device,
    unchanged(path, stat) {
      const index = indexes.get(path)
      if (index === undefined || prints === undefined) return undefined
      return isUnchanged(prints, index, stat) ? entries[index] : undefined
    },
    recall(path) {
      const index = indexes.get(path)
      if (index === undefined) return undefined
      const record = prints === undefined ? undefined : recordAt(prints, index)
      return { entry: entries[index]!, record }
    }
  }
}

function decode(
  prints: Uint8Array | undefined,
  manifestBytes: Uint8Array,
  manifest: Manifest
): BundleState['fingerprints'] {
  if (prints === undefined) return 'absent'
  const sha256 = createHash('sha256').update(manifestBytes).digest('hex')
  return decodeFingerprints(prints, sha256, manifest.entries.length)
}

function requireFile(read: ReadBundleFile, name: string): Uint8Array {
  const bytes = read(name)
  if (bytes !== undefined) return bytes
  throw new OciUnpackError('BUNDLE_INVALID', `The bundle has no ${name}.`, {
    facts: { file: name },
    hint: 'Name a directory that unpack made; raw unpack makes no bundle. Otherwise unpack the image again.'
  })
}
