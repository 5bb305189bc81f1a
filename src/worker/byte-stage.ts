/**
 * A layer is read by a line of parts, none of which knows about the others:
 *
 *     counted-input   the blob, read and hashed            gives chunks when asked (codec/source.ts)
 *     decompress      the same, inflated (codec/)          gives chunks when asked
 *     tar-limits      what an image may cost               takes chunks
 *     diff-id         the digest of what was inflated      takes chunks
 *     TarReader       members (tar/)                       takes chunks, gives entries to a TarSink
 *     layer-entries   entries as they will be on disk      takes members, gives entries to a LayerSink
 *     a sink          objects, or an index, …              takes entries
 *
 * `verified-tar.ts` puts the first four together, `read-layer.ts` all of them. If one of them throws, the digest of the
 * blob is finished first (`store/blamed-blob.ts`). A part that takes chunks is a ByteStage.
 * No part may keep a chunk, and parts communicate only through these calls. So the bytes may be copied to another
 * thread between any two parts, and the same calls are made there.
 */
export interface ByteStage {
  /** More of the tar, valid until the call returns; a stage that needs the bytes for longer copies them. */
  push(chunk: Buffer): void
  /** The tar is complete. @throws whatever is wrong with it as a whole */
  finish(): void
}
