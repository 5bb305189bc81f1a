/**
 * What the rest of the program may ask of a registry (OCI distribution-spec 1.1), and the settings that a user can
 * give. Everything is plain data, because the connections live in a thread of their own.
 */
import type { Digest } from '../image/digest.ts'

/** Where the images of one name are. */
export interface Repository {
  /** `HOST[:PORT]`, as the user named it; `docker.io` stands for the registry behind it. */
  readonly host: string
  /** As in `library/debian`. */
  readonly name: string
  /** Whether it stands in for what the user named. */
  readonly isMirror?: boolean
}

/** How a registry is reached. */
export interface RegistrySettings {
  /** A file of credentials in containers-auth.json(5) form. Undefined: those that podman, skopeo and docker would read. */
  readonly authfile?: string | undefined
  /** They replace what files say. Must never be shown. */
  readonly credentials?: RegistryCredentials | undefined
  /** False: certificates are not checked, and plain HTTP is tried. Undefined: only a loopback address may use plain HTTP. */
  readonly tlsVerify?: boolean | undefined
  /** A directory with `*.crt`, `*.cert` and `*.key`. Undefined: containers-certs.d(5). */
  readonly certDir?: string | undefined
}

export type RegistryCredentials =
  { readonly username: string; readonly password: string } | { readonly identityToken: string }

/** A manifest or an index, verified where its digest was known beforehand. */
export interface RegistryDocument {
  bytes: Buffer
  mediaType: string
  digest: Digest
}

/** A blob as a descriptor names it. */
export interface RegistryBlob {
  digest: Digest
  /** Bytes. */
  size: number
}

/** Something that a user may want to see, or a script to count. */
export type RegistryEvent =
  RetryEvent | { type: 'warning'; message: string; facts: Readonly<Record<string, string>> }

/** A request failed, and is sent again after `delayMs`. */
export interface RetryEvent {
  type: 'retry'
  host: string
  /** As in `GET blobs/sha256:…`. */
  what: string
  reason: string
  delayMs: number
}

/** A connection to one repository. Every method throws ABORTED when the signal fires. */
export interface RegistryClient {
  /**
   * @param reference a tag, or a digest, which the answer is then held to
   * @param limit bytes @throws MANIFEST_NOT_FOUND, LIMIT_EXCEEDED, REGISTRY_*
   */
  document(reference: string, limit: number): Promise<RegistryDocument>
  /**
   * Streams a blob from `offset` on. Broken connections are resumed; bytes arrive in order and once, at most one more
   * than the descriptor says. They are not verified here: whoever reads them does that.
   * @param take awaited for each piece, which is valid until it returns
   * @param end where to stop; default at the end of the blob
   * @throws BLOB_NOT_FOUND, REGISTRY_*
   */
  blob(
    blob: RegistryBlob,
    offset: number,
    take: (bytes: Buffer) => Promise<void>,
    end?: number
  ): Promise<void>
  hasBlob(blob: RegistryBlob): Promise<boolean>
  hasDocument(reference: string): Promise<boolean>
  /** Makes a blob of another repository of the same registry one of this. False if the registry does not do that. */
  mount(blob: RegistryBlob, from: string): Promise<boolean>
  /**
   * Uploads a blob that the registry lacks. After a failure or a stop, no upload session is left open.
   * @param read the bytes from an offset on; called again when an upload has to begin again
   */
  upload(blob: RegistryBlob, read: (offset: number) => AsyncIterable<Buffer>): Promise<void>
  /** @param reference a tag, or its own digest */
  putDocument(reference: string, document: { bytes: Buffer; mediaType: string }): Promise<Digest>
  /** All tags, page by page. @throws REPOSITORY_NOT_FOUND, REGISTRY_* */
  tags(): AsyncIterable<string[]>
  /** An index of what refers to a manifest: by the referrers API, or by the tag that stands in for it. */
  referrers(digest: Digest): Promise<Buffer>
  close(): Promise<void>
}
