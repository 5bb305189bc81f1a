/**
 * The contract of a transport: where images are, and how they are named, read and written there.
 *
 * A transport is one value in a file of its own, and one entry in `list.ts`. Nothing else knows the names of transports:
 * usage texts, hints and completion are made from the list. The value itself must load fast, because names are parsed at
 * every start: whatever reads or writes is imported when it is needed.
 *
 * Reading. `open` finds out whether there is something to read, and may take its time: where images are far away, it
 * fetches the documents of the image that the name chooses. What it gives holds nothing open and can be read as often as
 * needed; documents are read at once. A blob is named at once too, as plain data that can go to another thread. Whatever
 * opens it there verifies it, and may have to wait for bytes that are still arriving.
 *
 * Writing. An image becomes visible under its name as a whole and at the end, or not at all: a failure leaves nothing
 * behind, and what a killed writer left behind is removed by the next one. Every blob is verified as it passes. A
 * transport says for itself whether it adds to what exists or refuses to.
 */
import type { DecompressorChoice } from '../codec/choice.ts'
import type { Facts } from '../errors.ts'
import type { Digest } from '../image/digest.ts'
import type { Platform } from '../image/types.ts'
import type { Hold } from '../store/blobs-lock.ts'
import type { CopyOutcome } from '../store/copy-blob.ts'
import type { ImageSource } from '../store/image-source.ts'
import type { LayoutOptions } from '../store/layout.ts'
import type { ReachableBlob } from '../store/reachable.ts'

/** What all names have in common; each transport adds what it needs to find the place. */
export interface SomeName {
  readonly transport: string
  /** The part that chooses one of the images at a place, as it was written. Undefined: nothing was chosen. */
  readonly tag: string | undefined
}

export interface ImageTransport<Name extends SomeName> {
  /** What a name begins with, before the first colon. */
  readonly name: Name['transport']
  /** How a name continues, as usage texts show it: for all images at a place, and for one of them. */
  readonly usage: { readonly all: string; readonly one: string }
  /** A whole name, as hints show it. */
  readonly example: string
  /** What a path leads to. Completion offers such files. */
  readonly holder: 'directory' | 'file'

  /** Reads what follows `NAME:`. @throws REFERENCE_INVALID */
  parse(text: string): Name
  /** What `parse` read, without `NAME:`. */
  format(name: Name): string

  /**
   * Opens the place for reading, with all images that are there.
   * @throws LAYOUT_INVALID, ARCHIVE_INVALID, TAR_INVALID, DOCUMENT_INVALID, LIMIT_EXCEEDED
   */
  open(name: Name, options: LayoutOptions): Promise<ImageSource>
  /** The tag to look for in the index of what was opened; undefined for the only image that is there. */
  tagInIndex(name: Name): string | undefined
  /**
   * Keeps garbage collections away from the blobs until it is released. `pause` is awaited while one runs, and throws to
   * give up. Left out where nothing ever removes blobs.
   */
  hold?(name: Name, pause: () => Promise<void>): Promise<Hold>

  /** Left out where images are only read. @throws REFERENCE_INVALID where a new image cannot have the name */
  writer?(name: Name): ImageWriter
  /** Where the name's tag can be moved and images can be changed. Left out where images are read or written as a whole. */
  inLayout?(name: Name): TagInLayout
}

/** An image in a layout directory, which can be changed there. */
export interface TagInLayout {
  path: string
  tag: string
}

/**
 * Writes an image. Gives the digest of what the new name stands for; undefined where there is no such thing.
 * @throws TAG_*, PLATFORM_*, BLOB_*, MEDIA_TYPE_UNSUPPORTED, LAYOUT_INVALID, ARCHIVE_EXISTS, SYSCALL_FAILED, …
 */
export type ImageWriter = (image: ImageToWrite, help: WriterHelp) => Promise<Digest | undefined>

/** An image at its source. Without a platform it is all that the tag leads to, where the destination can hold that. */
export interface ImageToWrite {
  readonly source: ImageSource
  readonly tag: string | undefined
  readonly platform: Platform | undefined
}

/** What a writer gets from its caller. */
export interface WriterHelp {
  /** Awaited before each MiB; throws to give up. */
  readonly breathe: () => Promise<void>
  /** Awaited while another process holds the destination; throws to give up. */
  readonly wait: () => Promise<void>
  /** Reads blobs to their ends, several at once, and writes nothing. Gives the outcome of each, in order. */
  readonly check: (source: ImageSource, blobs: readonly BlobToCheck[]) => Promise<BlobOutcome[]>
  readonly decompressor: DecompressorChoice
  readonly onEvent: (event: WriterEvent) => void
  /** Called with the absolute path of what a killed writer had left behind, once it is removed. */
  readonly onLeftover: (path: string) => void
}

/** A blob, and for a layer the diff IDs that it should have. */
export type BlobToCheck = Pick<ReachableBlob, 'descriptor' | 'diffIds'>

export type BlobOutcome = PromiseSettledResult<CheckedBlob>

/** What a blob is when nothing is wrong with it. */
export interface CheckedBlob {
  /** Of a layer: at least one for each algorithm of the diff IDs that it should have. */
  diffIds: readonly string[]
  /** Bytes of a layer's tar. */
  unpacked: number
}

export type WriterEvent =
  /** The destination has a blob; `size` in bytes. */
  | { type: 'blob'; digest: string; size: number; outcome: CopyOutcome }
  /** Something was not copied, and the image is valid without it. */
  | { type: 'warning'; message: string; facts: Facts }
