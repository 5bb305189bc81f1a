/** Stores blobs. */
import { createHash } from 'node:crypto'
import { finishDigest, type Digest } from '../image/digest.ts'
import type { Workspace } from './layout-workspace.ts'

/** A blob that is hashed (sha256) while it is written. */
export interface BlobWriter {
  /** @throws SYSCALL_FAILED */
  write(bytes: Uint8Array): void
  /** Gives the blob its name (its digest), durably, replacing an equal blob that exists. `size` in bytes. */
  finish(): { digest: Digest; size: number }
  /** Removes the file, unless finished. May be called again, also after `finish`. */
  discard(): void
}

export function createBlob(workspace: Workspace): BlobWriter {
  const file = workspace.newFile()
  const hash = createHash('sha256')
  let size = 0
  return {
    write(bytes) {
      file.write(bytes)
      hash.update(bytes)
      size += bytes.length
    },
    finish() {
      const digest = finishDigest(hash, 'sha256')
      file.publish(workspace.blobName(digest))
      return { digest, size }
    },
    discard: () => file.discard()
  }
}

/** Stores bytes that are in memory or arrive in pieces. Leaves nothing behind if the source throws. */
export function putBlob(
  workspace: Workspace,
  content: Uint8Array | Iterable<Uint8Array>
): { digest: Digest; size: number } {
  const blob = createBlob(workspace)
  try {
    for (const bytes of content instanceof Uint8Array ? [content] : content) blob.write(bytes)
    return blob.finish()
  } finally {
    blob.discard()
  }
}
