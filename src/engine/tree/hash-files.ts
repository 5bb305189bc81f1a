/** Hashes the content of files, in threads if there is enough of it. */
import type { ByteString } from '../../bytes.ts'
import type { Ledger } from '../../sys/ledger.ts'
import { withThreads, type ThreadOptions } from '../operation/threads.ts'

/** A regular file that is to be read. */
export interface FileToHash {
  path: ByteString
  /** Bytes. */
  size: number
}

/** Gives the SHA-256 (hex) of regular files, in their order. */
export type HashFiles = (files: readonly FileToHash[]) => Promise<readonly string[]>

/** Below both values, a thread costs more than it saves. */
const WORTH_A_THREAD = { files: 256, bytes: 32 * 1024 * 1024 }
/** Size of one task: small enough that no thread is left working alone at the end. */
const BATCH = { files: 512, bytes: 64 * 1024 * 1024 }

/** How to look at a tree. */
export interface TreeOptions extends ThreadOptions {
  /** Notes the modes of what has to be opened up. */
  ledger?: Ledger | undefined
}

/** Hashes files below a directory. @param root its descriptor, open until all is hashed */
export function hasher(root: number, options: TreeOptions): HashFiles {
  return async (files) => {
    if (files.length === 0) return []
    const threads = isWorthThreads(files) ? options.jobs : 0
    return withThreads(threads, options, async (pool, control) => {
      const digests = batches(files).map((paths) =>
        pool.run({ type: 'hash-files', root, paths, ledger: options.ledger }, control)
      )
      return (await Promise.all(digests)).flat()
    })
  }
}

function isWorthThreads(files: readonly FileToHash[]): boolean {
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  return files.length >= WORTH_A_THREAD.files || bytes >= WORTH_A_THREAD.bytes
}

function batches(files: readonly FileToHash[]): ByteString[][] {
  const all: ByteString[][] = []
  let batch: ByteString[] = []
  let bytes = 0
  for (const { path, size } of files) {
    if (batch.length === 0 || batch.length === BATCH.files || bytes >= BATCH.bytes) {
      batch = []
      bytes = 0
      all.push(batch)
    }
    batch.push(path)
    bytes += size
  }
  return all
}
