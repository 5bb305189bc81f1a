/**
 * The contract of a transport: where images are, and how they are named, read and written there.
 *
 * A transport is one value in a file of its own, and one entry in `list.ts`. Nothing else knows the names of
 * transports: usage texts, hints and completion are made from the list. The value itself must load fast, because names
 * are parsed at every start. So code that reads or writes is imported when it is needed.
 *
 * Reading. `open` finds out whether there is something to read, and may take its time: if images are far away, it
 * fetches the documents of the image that the name chooses. The source that it returns can be read any number of times,
 * until it is closed. Documents are read synchronously. A blob is named synchronously too, as plain data that can
 * go to another thread. The thread that opens it there verifies it, and may have to wait for bytes that are still
 * arriving.
 *
 * Writing. An image becomes visible under its name as a whole and at the end, or not at all: a failure leaves nothing
 * behind, and the next writer removes whatever a killed writer left behind. Every blob is verified on the way. Each
 * transport decides whether it adds to what exists or refuses to, and `tar` keeps only the tree of an image.
 */
import type { DecompressorChoice } from '../codec/choice.ts'
import type { Gathered } from '../codec/gathered.ts'
import type { Facts, OciUnpackError } from '../errors.ts'
import type { Digest } from '../image/digest.ts'
import type { Descriptor, Platform } from '../image/types.ts'
import type { Hold } from '../store/blobs-lock.ts'
import type { CopyOutcome } from '../store/copy-blob.ts'
import type { RegistrySettings, RetryEvent } from '../registry/registry.ts'
import type { ImageSource, OnWarning } from '../store/image-source.ts'
import type { Layout, LayoutOptions } from '../store/layout.ts'

export interface OpenOptions extends LayoutOptions {
  /** Stops the opening, which then throws ABORTED, and what arrives from far away. */
  signal?: AbortSignal | undefined
  /** How a registry is reached, for names that lead to one. */
  registry?: RegistrySettings | undefined
  /** Told which of several places is used. */
  onChoice?: OnWarning | undefined
  /** Told about requests that failed and are sent again. */
  onRetry?: ((event: RetryEvent) => void) | undefined
}

/** What all names have in common; each transport adds whatever it needs to find the place. */
export interface SomeName {
  readonly transport: string
  /**
   * The part that chooses one of the images at a place, as the user wrote it: a tag, which is free text, or `@DIGEST`.
   * Undefined: none was chosen.
   */
  readonly tag: string | undefined
}

export interface ImageTransport<Name extends SomeName> {
  /** The beginning of a name, before the first colon. */
  readonly name: Name['transport']
  /** How what follows the colon begins. Omitted if it can be anything. */
  readonly begins?: string
  /** The rest of a name, as usage texts show it: for all images at a place, and for one of them. */
  readonly usage: { readonly all: string; readonly one: string }
  /** A complete name, as hints show it. */
  readonly example: string
  /** What a path leads to; completion offers directories and files. */
  readonly holder: 'directory' | 'file' | 'registry'

  /** Reads what follows `NAME:`. @throws REFERENCE_INVALID */
  parse(text: string): Name
  /** The reverse of `parse`, without `NAME:`. */
  format(name: Name): string

  /**
   * Opens the place, with all its images, for reading.
   * @throws LAYOUT_INVALID, ARCHIVE_INVALID, TAR_INVALID, DOCUMENT_INVALID, LIMIT_EXCEEDED
   */
  open(name: Name, options: OpenOptions): Promise<ImageSource>
  /** All tags, without opening each image. Omitted if the index of the opened place has them. */
  tags?(name: Name, options: OpenOptions): Promise<string[]>
  /** What `findEntry` looks for in the index of the opened place. */
  tagInIndex(name: Name): string | undefined
  /**
   * Keeps garbage collections away from the blobs until it is released. `pause` is awaited while one runs, and can
   * throw to give up. Omitted if nothing ever removes blobs.
   */
  hold?(name: Name, pause: () => Promise<void>): Promise<Hold>

  /** Omitted if images can only be read. @throws REFERENCE_INVALID if a new image cannot have this name */
  writer?(name: Name): ImageWriter
  /**
   * Omitted if only images can be written there, and not a root file system that has no config.
   * @throws REFERENCE_INVALID as `writer` does
   */
  treeWriter?(name: Name): TreeWriter
  /** Opens what is needed to change images and to move tags. Omitted if images can only be read or written as a whole. */
  change?(name: Name, options: ChangeOptions): Promise<ChangeableImages>
  /** The layout directory in which the image is, if it is in one. */
  inLayout?(name: Name): ImageInLayout
}

export interface ChangeOptions extends OpenOptions {
  /** Finds out which image is changed, if the name does not lead to it; `none` if the new image has no base. */
  base?: (() => Digest | 'none') | undefined
  /**
   * Opens another place with the base, which is not where the new image goes: its index has that entry alone.
   * @throws an error that says more than `missing`
   */
  elsewhere?: ((missing: OciUnpackError) => Promise<ImageSource>) | undefined
  /** Reads the documents that a change needs, as for `ImageSource.prepare`. */
  documents: (source: ImageSource, tag: string | undefined) => void
}

/** A layout in which images are changed. If they are far away, it is private, and what it lacks is read from there. */
export interface ChangeableImages {
  readonly layout: Layout
  /** The name of the image in the index of the layout. */
  readonly tag: string | undefined
  /** Brings the image with this tag to where it belongs. Until then, nothing can be seen there. */
  readonly publish: (tag: string, help: TransferHelp) => Promise<void>
  readonly close: () => void
}

/** An image in a layout directory, which can be changed there. `tag` as in a name. */
export interface ImageInLayout {
  path: string
  tag: string | undefined
}

/** A tag in a layout directory, which need not exist yet. */
export interface TagInLayout extends ImageInLayout {
  tag: string
}

/**
 * Writes an image. Returns the digest of what the new name refers to, or undefined if it has none.
 * @throws TAG_*, PLATFORM_*, BLOB_*, MEDIA_TYPE_UNSUPPORTED, LAYOUT_INVALID, ARCHIVE_EXISTS, SYSCALL_FAILED, …
 */
export type ImageWriter = (image: ImageToWrite, help: WriterHelp) => Promise<Digest | undefined>

/** An image at its source. Without a platform: everything that the tag refers to, if the destination can hold that. */
export interface ImageToWrite {
  readonly source: ImageSource
  readonly tag: string | undefined
  readonly platform: Platform | undefined
  /** Whether what refers to the image comes along: signatures, SBOMs, attestations. */
  readonly referrers?: boolean
}

/** What everybody gets who brings blobs somewhere. */
export interface TransferHelp {
  /** Awaited before each MiB; can throw to give up. */
  readonly breathe: () => Promise<void>
  /** Awaited while another process holds the destination; can throw to give up. */
  readonly wait: () => Promise<void>
  /** As for opening, but for the destination. */
  readonly registry?: RegistrySettings | undefined
  readonly signal?: AbortSignal | undefined
  readonly onEvent: (event: WriterEvent) => void
}

/** What a writer gets from its caller. */
export interface WriterHelp extends TransferHelp {
  /** Reads blobs to their ends, several at once, without writing anything. Returns the outcome of each, in order. */
  readonly check: (source: ImageSource, blobs: readonly BlobToCheck[]) => Promise<BlobOutcome[]>
  /**
   * Writes what an unpack of the image makes as one uncompressed tar archive, straight from the layers. `write` may keep
   * nothing of the bytes, and is called again when it has resolved. What was written can be trusted once this returns.
   */
  readonly writeTree: (
    image: ImageToWrite,
    write: (bytes: Buffer) => Promise<void>
  ) => Promise<void>
  /** How many processors may be used, at least 1. */
  readonly processors: number
  readonly decompressor: DecompressorChoice
  /** Called with the absolute path of each leftover of a killed writer that was removed. */
  readonly onLeftover: (path: string) => void
}

/** Writes a tree, which `fill` puts out as one uncompressed tar archive. */
export type TreeWriter = (fill: FillArchive, help: TreeWriterHelp) => Promise<void>

/** What `fill` throws ends the writing, and nothing is left of the archive. */
export type FillArchive = (output: Gathered) => Promise<void>

export type TreeWriterHelp = Pick<WriterHelp, 'breathe' | 'processors' | 'onLeftover'>

/** A blob and, for a layer whose tar has to be known, the diff ID that it should have. */
export interface BlobToCheck {
  descriptor: Descriptor
  diffId: Digest | undefined
}

export type BlobOutcome = PromiseSettledResult<CheckedBlob>

/** The result for a blob without faults. */
export interface CheckedBlob {
  /** Size of the tar of a layer that has a diff ID, in bytes. */
  unpacked: number
}

/**
 * Sent at most ten times a second while blobs go over the network. `total` becomes less when the destination turns out to
 * have a blob. The rate is that of the last three seconds.
 */
export interface TransferEvent {
  type: 'transfer'
  bytes: number
  total: number
  bytesPerSecond: number
}

export type WriterEvent =
  /** The destination has this blob; `size` in bytes. */
  | { type: 'blob'; digest: string; size: number; outcome: CopyOutcome }
  | TransferEvent
  | RetryEvent
  /** Which of several places is used. */
  | { type: 'choice'; message: string; facts: Facts }
  /** Something was not copied, but the image is valid without it. */
  | { type: 'warning'; message: string; facts: Facts }
