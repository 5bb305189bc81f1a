/**
 * Reads the documents of an image: liberally, since many tools write them. Each parser holds a document only to what no
 * command can do without; what else a command needs, it asks for (`layerDiffIds`, `assertDescriptor`).
 */
import { OciUnpackError } from '../errors.ts'
import type { Digest } from './digest.ts'
import { fit, type OnMisfit } from './fit.ts'
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
  Descriptor,
  DockerArchiveImage,
  ImageConfig,
  ImageIndex,
  ImageManifest,
  LayoutFile
} from './types.ts'
import { assertValid, documentInvalid, show, type SchemaValidator } from './validate.ts'

/** Where a document's bytes came from. */
export interface DocumentSource {
  /** A path or digest, for messages. */
  file: string
  /** The media type that the descriptor gives; absent for a layout's own files. */
  mediaType?: string
}

/*
 * Every parser takes the stored bytes and throws DOCUMENT_INVALID with file, JSON pointer and reason. Unknown fields
 * are kept. An optional known field that is null (as Go writes one) or does not fit (`fit.ts`) is left out, and a
 * required list that is null becomes empty.
 */

/** The `oci-layout` file (image-spec image-layout.md). */
export function parseLayoutFile(bytes: Uint8Array, source: DocumentSource): LayoutFile {
  return parse(bytes, source, validateLayoutFile, LAYOUT_SHAPE) as unknown as LayoutFile
}

/**
/**
 * An image index or Docker manifest list (image-spec image-index.md). Entries that do not say which blob they mean do not
 * make it invalid: `oddEntries` has them.
 */
export function parseIndex(bytes: Uint8Array, source: DocumentSource): ImageIndex {
  const { value, odd } = setAsideOdd(parseText(bytes, source), source)
  assertValid(validateIndex, value, source.file)
  const index = fit(value, INDEX_SHAPE) as unknown as ImageIndex
  assertSameKind(index.mediaType, source)
  return withOddEntries({ ...index, schemaVersion: 2 }, odd)
}

/** An image manifest, OCI or Docker schema 2 (image-spec manifest.md). */
export function parseManifest(bytes: Uint8Array, source: DocumentSource): ImageManifest {
  const manifest = parse(
    bytes,
    source,
    validateManifest,
    MANIFEST_SHAPE
  ) as unknown as ImageManifest
  assertSameKind(manifest.mediaType, source)
  return { ...manifest, schemaVersion: 2 }
}

/**
 * An image configuration, OCI or Docker (image-spec config.md). `os` and `architecture` are empty where it does not
 * name them, and `rootfs` has those diff IDs that can be read.
 * @param onMisfit hears of every field that is left out
 */
export function parseConfig(
  bytes: Uint8Array,
  source: DocumentSource,
  onMisfit?: OnMisfit
): ImageConfig {
  const value = parseText(bytes, source)
  const config = fit(value, CONFIG_SHAPE, onMisfit) as Partial<ImageConfig> | undefined
  if (config === undefined) throw notAnObject(value, source)
  const { os = '', architecture = '', rootfs = { diff_ids: [] } } = config
  return { ...config, architecture, os, rootfs: { ...rootfs, type: 'layers' } }
}

/** `manifest.json` of a docker-archive (moby/docker-image-spec, Combined Image JSON + Filesystem Changeset Format). */
export function parseDockerArchive(
  bytes: Uint8Array,
  source: DocumentSource
): readonly DockerArchiveImage[] {
  const images = parse(bytes, source, validateDockerArchive, DOCKER_ARCHIVE_SHAPE)
  return images as unknown as readonly DockerArchiveImage[]
}

/** @throws DOCUMENT_INVALID if the config, given as its bytes, has no diff IDs that can be read */
export function configDiffIds(config: Uint8Array, source: DocumentSource): readonly Digest[] {
  assertValid(validateConfig, parseText(config, source), source.file)
  return parseConfig(config, source).rootfs.diff_ids
}

/**
 * The diff IDs of a manifest's layers, from the bytes of its config. An image without layers needs none.
 * @throws DOCUMENT_INVALID if the config does not have one for each layer
 */
export function layerDiffIds(
  { layers }: ImageManifest,
  config: Uint8Array,
  source: DocumentSource
): readonly Digest[] {
  const diffIds =
    layers.length === 0
      ? parseConfig(config, source).rootfs.diff_ids
      : configDiffIds(config, source)
  if (diffIds.length === layers.length) return diffIds
  const counts = `has ${diffIds.length} entries, but the manifest has ${layers.length} layers`
  throw documentInvalid(source.file, '/rootfs/diff_ids', counts)
}

/** Fields of `config` that decide how a container runs; the others only describe it. */
const EXECUTION = /^\/config(?:$|\/(?:User|Env|Entrypoint|Cmd|WorkingDir|Volumes)(?:\/|$))/

/** @throws DOCUMENT_INVALID if a setting for running a container cannot be read, from the bytes of a config */
export function assertExecution(config: Uint8Array, source: DocumentSource): void {
  parseConfig(config, source, (pointer) => {
    if (!EXECUTION.test(pointer)) return
    throw documentInvalid(source.file, pointer, 'is not of the type that the specification names')
  })
}

/**
 * Checks that a descriptor says which blob it means.
 * @param file what contains the descriptor, for messages
 * @throws DOCUMENT_INVALID
 */
export function assertDescriptor(descriptor: Descriptor, file: string): void {
  assertValid(validateDescriptor, descriptor as unknown as Json, file)
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
  return fit(value, shape)!
}

function parseText(bytes: Uint8Array, source: DocumentSource): Json {
  try {
    return parseJson(bytes)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw documentInvalid(source.file, '', cause.message, cause)
  }
}

function notAnObject(value: Json, { file }: DocumentSource): Error {
  return documentInvalid(file, '', `must be an object, found ${show(value)}`)
}

/**
 * A blob that one reader takes for an index and another for a manifest can hide content: CVE-2021-41190. OCI's and
 * Docker's type of the same kind mean the same, and unknown types nothing.
 */
function assertSameKind(found: string | undefined, source: DocumentSource): void {
  if (found === undefined || source.mediaType === undefined) return
  const { kind } = mediaKind(found)
  if (kind === 'other' || kind === mediaKind(source.mediaType).kind) return
  throw documentInvalid(
    source.file,
    '/mediaType',
    `must be ${source.mediaType} as its descriptor says, found ${found} (${kind})`
  )
}

/** Whether a descriptor says which blob it means. */
export function isDescriptor(descriptor: Descriptor): boolean {
  return validateDescriptor(descriptor)
}
