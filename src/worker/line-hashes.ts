/** What is hashed on a line, and the blob that is read there, as each thread has them. */
import { digestAlgorithm } from '../image/digest.ts'
import { openBlob, type VerifiedBlob } from '../store/blob.ts'
import { streamHash } from '../sys/sha256.ts'
import type { StreamHash } from '../sys/stream-hash.ts'
import type { ExpectedTar } from './diff-id.ts'
import type { LineMemory } from './line-memory.ts'

/** The hashes of a layer, in the memory of its line: of the blob, of the tar, and of the file in it that is next. */
export interface LineHashes {
  blob: StreamHash
  tar: StreamHash
  body: StreamHash
}

export function lineHashes(memory: LineMemory, { source, diffId }: ExpectedTar): LineHashes {
  return {
    blob: streamHash(digestAlgorithm(source.digest), memory.blobHash),
    tar: streamHash(digestAlgorithm(diffId), memory.tarHash),
    body: streamHash('sha256', memory.bodyHash)
  }
}

/** The blob of a line, for the layer's own thread. */
export function openLineBlob(
  memory: LineMemory,
  { source }: ExpectedTar,
  { blob }: LineHashes
): VerifiedBlob {
  const opened = openBlob(source, { hash: blob, position: memory.position })
  memory.file[0] = opened.file ?? NO_FILE
  return opened
}

const NO_FILE = -1

/** The same for a thread that reads on where another has stopped: from the same file, whatever is at its path by now. */
export function openSharedBlob(
  memory: LineMemory,
  { source }: ExpectedTar,
  { blob }: LineHashes
): VerifiedBlob {
  const [fd] = memory.file
  const held = fd === NO_FILE ? source : { ...source, fd: fd! }
  return openBlob(held, { hash: blob, position: memory.position })
}
