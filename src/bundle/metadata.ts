/** umoci.json: which image a bundle came from, and how it was unpacked. */
import { OciUnpackError } from '../errors.ts'
import type { ImagePlace } from '../image/image-place.ts'
import type { IdMapping } from '../plan/id-map.ts'
import { METADATA_FILE } from './files.ts'
import { printJson } from './json.ts'
import type { SpecIdMapping } from './runtime-spec.ts'

/** An image-spec descriptor in umoci.json; all other fields are kept. */
export interface BundleDescriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly [field: string]: unknown
}

/** What umoci.json says about a bundle: where it came from and how its ids were mapped. */
export interface BundleMetadata {
  /** From the entry in index.json (first) down to the image manifest (last); never empty. */
  descriptorWalk: readonly BundleDescriptor[]
  uidMaps: readonly IdMapping[]
  gidMaps: readonly IdMapping[]
  rootless: boolean
  /** Where the image is. Undefined if another program made the bundle. */
  source?: ImagePlace | undefined
  /** Undefined for a full tree manifest, which states the digest of every file. */
  lazy?: LazyManifest | undefined
}

/**
 * The tree manifest does not state the digests of files, which are those in the image: a repack takes them from its
 * layers. umoci ignores this, and compares only what the tree manifest states.
 */
export interface LazyManifest extends ImagePlace {
  /** How many layers, from the base up, were unpacked with `keepDirlinks`. */
  dirlinkLayers: number
}

/** The only version of umoci.json since 2017; umoci refuses all others. */
const VERSION = '2'

/** umoci.json as compact JSON with a newline, which every umoci can read. */
export function formatMetadata(metadata: BundleMetadata): string {
  const document = {
    umoci_version: VERSION,
    from_descriptor_path: { descriptor_walk: metadata.descriptorWalk },
    map_options: {
      uid_mappings: toSpecMappings(metadata.uidMaps),
      gid_mappings: toSpecMappings(metadata.gidMaps),
      rootless: metadata.rootless
    },
    ...(metadata.source === undefined ? {} : { image_source: metadata.source }),
    ...formatLazy(metadata.lazy)
  }
  return printJson(document, '')
}

/** @throws BUNDLE_INVALID with the JSON pointer to the fault and a hint */
export function parseMetadata(text: string): BundleMetadata {
  const document = requireRecord('', parseJson(text))
  requireVersion(document.umoci_version)
  if ((document.whiteout_mode ?? 0) !== 0) throw overlayBundle(document.whiteout_mode)
  const options = requireRecord('/map_options', document.map_options ?? {})
  return {
    descriptorWalk: readWalk(document.from_descriptor_path),
    uidMaps: readMappings('/map_options/uid_mappings', options.uid_mappings),
    gidMaps: readMappings('/map_options/gid_mappings', options.gid_mappings),
    rootless: options.rootless === true,
    source: readSource(document.image_source),
    lazy: readLazy(document.lazy_manifest)
  }
}

/** What the place of the image has it by: its manifest, or an index that leads there. */
export function sourceRoot(metadata: BundleMetadata): BundleDescriptor {
  return metadata.descriptorWalk[0]!
}

/** The image manifest that the bundle was unpacked from. */
export function sourceManifest(metadata: BundleMetadata): BundleDescriptor {
  return metadata.descriptorWalk.at(-1)!
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw invalid('', 'it is not JSON', text.slice(0, 100), cause)
  }
}

function requireVersion(version: unknown): void {
  if (version === VERSION) return
  throw new OciUnpackError('BUNDLE_INVALID', 'The bundle metadata has an unknown version.', {
    facts: {
      file: METADATA_FILE,
      pointer: '/umoci_version',
      expected: VERSION,
      found: show(version)
    },
    hint: 'Repack the bundle with the program that made it, or unpack the image again.'
  })
}

function formatLazy(lazy: LazyManifest | undefined): object {
  if (lazy === undefined) return {}
  const { transport, path, dirlinkLayers } = lazy
  return { lazy_manifest: { transport, path, dirlink_layers: dirlinkLayers } }
}

function readSource(value: unknown): ImagePlace | undefined {
  if (value === undefined) return undefined
  const pointer = '/image_source'
  const { transport, path } = requireRecord(pointer, value)
  if (typeof transport === 'string' && typeof path === 'string') return { transport, path }
  throw invalid(pointer, 'it does not say where the image is', value)
}

function readLazy(value: unknown): LazyManifest | undefined {
  if (value === undefined) return undefined
  const pointer = '/lazy_manifest'
  const { transport, path, dirlink_layers: dirlinkLayers } = requireRecord(pointer, value)
  if (typeof transport === 'string' && typeof path === 'string' && isWhole(dirlinkLayers))
    return { transport, path, dirlinkLayers }
  throw invalid(pointer, 'it does not say where the image is', value)
}

function readWalk(value: unknown): BundleDescriptor[] {
  const pointer = '/from_descriptor_path/descriptor_walk'
  const walk = requireRecord('/from_descriptor_path', value).descriptor_walk
  if (!Array.isArray(walk) || walk.length === 0)
    throw invalid(pointer, 'it does not contain a descriptor', walk)
  return walk.map((item: unknown, index) => readDescriptor(`${pointer}/${index}`, item))
}

function readDescriptor(pointer: string, value: unknown): BundleDescriptor {
  const descriptor = requireRecord(pointer, value)
  const { mediaType, digest, size } = descriptor
  if (typeof mediaType !== 'string')
    throw invalid(`${pointer}/mediaType`, 'it is not a string', mediaType)
  if (!isDigest(digest)) throw invalid(`${pointer}/digest`, 'no digest', digest)
  if (!isWhole(size)) throw invalid(`${pointer}/size`, 'it is not a size in bytes', size)
  return { ...descriptor, mediaType, digest, size }
}

function readMappings(pointer: string, value: unknown): IdMapping[] {
  if (value === null || value === undefined) return []
  if (!Array.isArray(value)) throw invalid(pointer, 'it is not a list', value)
  return value.map((item: unknown, index) => readMapping(`${pointer}/${index}`, item))
}

function readMapping(pointer: string, value: unknown): IdMapping {
  const { containerID, hostID, size } = requireRecord(pointer, value)
  if (isWhole(containerID) && isWhole(hostID) && isWhole(size)) {
    return { containerId: containerID, hostId: hostID, size }
  }
  throw invalid(pointer, 'it is not an id mapping', value)
}

function requireRecord(pointer: string, value: unknown): Record<string, unknown> {
  if (isRecord(value)) return value
  throw invalid(pointer, 'it is not an object', value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** File names are made from it, so nothing else may pass. */
function isDigest(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z0-9+._-]+:[A-Za-z0-9=_-]+$/.test(value)
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function toSpecMappings(maps: readonly IdMapping[]): SpecIdMapping[] | null {
  if (maps.length === 0) return null
  return maps.map(({ containerId, hostId, size }) => ({
    containerID: containerId,
    hostID: hostId,
    size
  }))
}

function overlayBundle(found: unknown): OciUnpackError {
  return new OciUnpackError('BUNDLE_INVALID', 'The bundle was unpacked in an overlayfs format.', {
    facts: { file: METADATA_FILE, pointer: '/whiteout_mode', expected: 0, found: show(found) },
    hint: 'Unpack the image again into a plain directory.'
  })
}

function invalid(pointer: string, reason: string, found: unknown, cause?: unknown): OciUnpackError {
  return new OciUnpackError('BUNDLE_INVALID', 'The bundle metadata is damaged.', {
    facts: { file: METADATA_FILE, pointer, found: show(found), reason },
    hint: 'Restore the file from a copy, or unpack the image again.',
    ...(cause === undefined ? {} : { cause })
  })
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 200)
}
