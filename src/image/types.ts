/** The types of an image's documents. */
import type { Digest } from './digest.ts'

/*
 * The documents as `documents.ts` returns them: without nulls, and without known fields of another type than here.
 * Objects also contain all unknown fields of the stored document, and spreading them into a new object keeps those.
 */

/**
 * Image-spec descriptor.md, Properties. `size` in bytes. `mediaType` is empty if there is none. In an index, `digest` and
 * `size` may be anything until `assertDescriptor` has checked them.
 */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly urls?: readonly string[]
  readonly annotations?: Readonly<Record<string, string>>
  /** The content itself in base64 (descriptor.md, Embedded Content). */
  readonly data?: string
  readonly platform?: Platform
  readonly artifactType?: string
}

/** Names in Go's spelling (image-spec image-index.md, platform). */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
  readonly 'os.version'?: string
  readonly 'os.features'?: readonly string[]
}

/** Image-spec image-layout.md, oci-layout file. */
export interface LayoutFile {
  readonly imageLayoutVersion: string
}

/** One image in `manifest.json` of a docker-archive. Paths are those of files in the archive, base layer first. */
export interface DockerArchiveImage {
  readonly Config: string
  readonly RepoTags?: readonly string[]
  readonly Layers: readonly string[]
}

/** Image-spec image-index.md; also Docker's manifest list. */
export interface ImageIndex {
  readonly schemaVersion: 2
  readonly mediaType?: string
  readonly artifactType?: string
  readonly manifests: readonly Descriptor[]
  readonly subject?: Descriptor
  readonly annotations?: Readonly<Record<string, string>>
}

/** Image-spec manifest.md; also Docker's manifest, schema 2. Base layer first. */
export interface ImageManifest {
  readonly schemaVersion: 2
  readonly mediaType?: string
  readonly artifactType?: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly subject?: Descriptor
  readonly annotations?: Readonly<Record<string, string>>
}

/**
 * Image-spec config.md, Properties. Dates are RFC 3339 text, because they have nanoseconds and an offset. `architecture`
 * and `os` are empty if the stored document does not name them.
 */
export interface ImageConfig {
  readonly created?: string
  readonly author?: string
  readonly architecture: string
  readonly os: string
  readonly 'os.version'?: string
  readonly 'os.features'?: readonly string[]
  readonly variant?: string
  readonly config?: ExecutionConfig
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] }
  readonly history?: readonly History[]
}

/** Image-spec config.md, `config`: the settings for running a container. */
export interface ExecutionConfig {
  readonly User?: string
  readonly ExposedPorts?: Readonly<Record<string, object | null>>
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Volumes?: Readonly<Record<string, object | null>>
  readonly WorkingDir?: string
  readonly Labels?: Readonly<Record<string, string>>
  readonly StopSignal?: string
  readonly ArgsEscaped?: boolean
}

/** Image-spec config.md, `history`: one entry per build step, oldest first. */
export interface History {
  readonly created?: string
  readonly created_by?: string
  readonly author?: string
  readonly comment?: string
  readonly empty_layer?: boolean
}
