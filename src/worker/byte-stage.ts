/**
 * A layer is read by a line of parts, none of which knows about the others:
 *
 *     read-blob       the blob, read and hashed                            store/blob.ts
 *     decompress      the same, inflated                                   codec/
 *     tar-limits      what an image may cost                               takes chunks
 *     TarReader       members (tar/)                                       takes chunks, gives entries to a TarSink
 *     layer-entries   entries as they will be on disk                      takes members, gives entries to a LayerSink
 *     a sink          objects, or an index, …                              takes entries
 *     body-digests    the digest of each file, and the diff ID             hashes a chunk that has been parsed
 *
 * `layer-line.ts` makes three stages of them, which threads share; `verified-tar.ts` puts them together, and `read-layer.ts`
 * adds the sink. If one of them throws, the digest of the blob is finished first (`store/blamed-blob.ts`). A part that takes
 * chunks is a ByteStage. No part may keep a chunk, and parts communicate only through these calls.
 */
export interface ByteStage {
  /** More of the tar, valid until the call returns; a stage that needs the bytes for longer copies them. */
  push(chunk: Buffer): void
  /** The tar is complete. @throws whatever is wrong with it as a whole */
  finish(): void
}
