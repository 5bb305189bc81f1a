/**
 * A layer is a line of parts, each of which knows nothing of the others:
 *
 *     counted-input   the blob, read and hashed            gives chunks when asked (codec/source.ts)
 *     decompress      the same, inflated (codec/)          gives chunks when asked
 *     tar-limits      what an image may cost               takes chunks
 *     diff-id         the digest of what was inflated      takes chunks
 *     TarReader       members (tar/)                       takes chunks, gives entries to a TarSink
 *     layer-entries   entries as they will be on disk      takes members, gives entries to a LayerSink
 *     a sink          objects, or an index, …              takes entries
 *
 * `verified-tar.ts` puts the first four together, `read-layer.ts` all of them. A part that takes chunks is a ByteStage.
 * No part may keep a chunk, and none learns anything from another but by these calls: between any two of them the bytes
 * may be copied to another thread, which makes the same calls there.
 */
export interface ByteStage {
  /** More of the tar, good until the call returns: whoever needs the bytes longer copies them. */
  push(chunk: Buffer): void
  /** No more comes. @throws what is wrong with the whole */
  finish(): void
}
