/** Reads the documents of an image and checks them against their schemas. */
import { OciUnpackError } from '../errors.ts'
import type { Digest } from './digest.ts'
import { parseJson, type Json } from './json.ts'
import { mediaKind } from './media-types.ts'
import { withOddEntries, type OddEntry } from './odd-entries.ts'
import {
  validateConfig,
  validateDescriptor,
  validateDockerArchive,
  validateIndex,
  validateLayoutFile,
  validateManifest
} from './schemas.generated.ts'
import {
  CONFIG_SHAPE,
  DOCKER_ARCHIVE_SHAPE,
  INDEX_SHAPE,
  LAYOUT_SHAPE,
  MANIFEST_SHAPE,
  type Shape
} from './shape.ts'
import type {
  DockerArchiveImage,
  ImageConfig,
  ImageIndex,
  ImageManifest,
  LayoutFile
} from './types.ts'
import { assertValid, documentInvalid, type SchemaValidator } from './validate.ts'

/** Where a document's bytes came from. */
export interface DocumentSource {
  /** A path or digest, for messages. */
  file: string
  /** The media type that the descriptor gives; absent for a layout's own files. */
  mediaType?: string
}

/*
 * Every parser takes the stored bytes and throws DOCUMENT_INVALID with file, JSON pointer and reason. Unknown fields
 * are kept. An optional known field that is null (as Go writes one) is dropped, and a required list that is null
 * becomes empty.
 */

/** The `oci-layout` file (image-spec image-layout.md). */
export function parseLayoutFile(bytes: Uint8Array, source: DocumentSource): LayoutFile {
  return parse(bytes, source, validateLayoutFile, LAYOUT_SHAPE) as unknown as LayoutFile
}

/**
 * An image index or Docker manifest list (image-spec image-index.md). Entries that are not valid do not make it invalid:
 * `oddEntries` has them.
 */
export function parseIndex(bytes: Uint8Array, source: DocumentSource): ImageIndex {
  const { value, odd } = setAsideOdd(parseText(bytes, source), source)
  assertValid(validateIndex, value, source.file)
  const index = withoutNulls(value, INDEX_SHAPE) as unknown as ImageIndex
  assertMediaType(index.mediaType, source)
  return withOddEntries(index, odd)
}

/** An image manifest, OCI or Docker schema 2 (image-spec manifest.md). */
export function parseManifest(bytes: Uint8Array, source: DocumentSource): ImageManifest {
  const manifest = parse(
    bytes,
    source,
    validateManifest,
    MANIFEST_SHAPE
  ) as unknown as ImageManifest
  assertMediaType(manifest.mediaType, source)
  return manifest
}

/** An image configuration, OCI or Docker (image-spec config.md). */
export function parseConfig(bytes: Uint8Array, source: DocumentSource): ImageConfig {
  return parse(bytes, source, validateConfig, CONFIG_SHAPE) as unknown as ImageConfig
}

/** `manifest.json` of a docker-archive (moby/docker-image-spec, Combined Image JSON + Filesystem Changeset Format). */
export function parseDockerArchive(
  bytes: Uint8Array,
  source: DocumentSource
): readonly DockerArchiveImage[] {
  const images = parse(bytes, source, validateDockerArchive, DOCKER_ARCHIVE_SHAPE)
  return images as unknown as readonly DockerArchiveImage[]
}

/** The diff IDs of a manifest's layers. @throws DOCUMENT_INVALID if their number is not that of the layers */
export function layerDiffIds(
  manifest: ImageManifest,
  config: ImageConfig,
  configFile: string
): readonly Digest[] {
  const { diff_ids: diffIds } = config.rootfs
  if (diffIds.length === manifest.layers.length) return diffIds
  const counts = `has ${diffIds.length} entries, but the manifest has ${manifest.layers.length} layers`
  throw documentInvalid(configFile, '/rootfs/diff_ids', counts)
}

function setAsideOdd(value: Json, source: DocumentSource): { value: Json; odd: OddEntry[] } {
  if (value === null || typeof value !== 'object' || !('manifests' in value))
    return { value, odd: [] }
  const { manifests } = value
  if (!Array.isArray(manifests)) return { value, odd: [] }
  const faults = (manifests as readonly Json[]).map((entry, at) => entryFault(entry, at, source))
  const odd = faults.flatMap((fault, at) =>
    fault === undefined ? [] : [{ at, value: manifests[at] as Json, fault }]
  )
  const valid = (manifests as readonly Json[]).filter((_, at) => faults[at] === undefined)
  return { value: { ...value, manifests: valid }, odd }
}

/** What is wrong with an entry of an index, with its place there. */
function entryFault(entry: Json, at: number, { file }: DocumentSource): OciUnpackError | undefined {
  try {
    assertValid(validateDescriptor, entry, file)
    return undefined
  } catch (error) {
    if (!(error instanceof OciUnpackError)) throw error
    const { pointer = '', reason = '' } = error.facts
    return documentInvalid(file, `/manifests/${at}${pointer}`, String(reason))
  }
}

function parse(
  bytes: Uint8Array,
  source: DocumentSource,
  validate: SchemaValidator,
  shape: Shape
): Json {
  const value = parseText(bytes, source)
  assertValid(validate, value, source.file)
  return withoutNulls(value, shape)
}

function parseText(bytes: Uint8Array, source: DocumentSource): Json {
  try {
    return parseJson(bytes)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw documentInvalid(source.file, '', cause.message, cause)
  }
}

/** A blob that one reader takes for an index and another for a manifest can hide content: CVE-2021-41190. */
function assertMediaType(found: string | undefined, source: DocumentSource): void {
  if (found === undefined || source.mediaType === undefined || found === source.mediaType) return
  throw documentInvalid(
    source.file,
    '/mediaType',
    `must be ${source.mediaType} as its descriptor says, found ${found} (${mediaKind(found).kind})`
  )
}

function withoutNulls(value: Json, shape: Shape): Json {
  if (shape.kind === 'list' && Array.isArray(value)) {
    return (value as readonly Json[]).map((item) => withoutNulls(item, shape.of))
  }
  if (shape.kind !== 'struct' || value === null || typeof value !== 'object') return value
  const members = Object.entries(value).flatMap(([key, member]) => {
    const field = Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined
    if (field === undefined) return [[key, member]]
    if (member !== null) return [[key, withoutNulls(member, field)]]
    return field.kind === 'list' && field.required ? [[key, []]] : []
  })
  return Object.fromEntries(members) as Json
}
