/** What changed in an open bundle, with the volumes masked and content hashed in threads. */
import { fromText, type ByteString } from '../bytes.ts'
import { ROOTFS_DIRECTORY } from '../bundle/files.ts'
import { cleanPath } from '../plan/names.ts'
import { findChanges, type Changes, type FileToHash, type HashFiles } from './changes.ts'
import type { OpenBundle } from './open-bundle.ts'
import { scanTree } from './scan-tree.ts'
import { withThreads, type ThreadOptions } from './threads.ts'

export interface MaskOptions {
  /** Paths whose changes are left out, with all below them. */
  maskPaths?: readonly string[]
  /** Leave out changes in the image's volumes (`Config.Volumes`); default true. */
  maskVolumes?: boolean
}

export interface ChangeSearch extends MaskOptions, ThreadOptions {
  volumes: readonly string[]
}

/** The manifest is read while other threads look at the tree. */
export async function bundleChanges(bundle: OpenBundle, search: ChangeSearch): Promise<Changes> {
  const [tree, memory] = await scanTree(bundle.rootfs, search, () => bundle.memory())
  return findChanges(bundle.rootfs, tree, memory, masksOf(search), hasher(bundle, search))
}

/** Cleaned lexically: no link is followed. */
function masksOf({ maskPaths = [], maskVolumes = true, volumes }: ChangeSearch): ByteString[] {
  return [...maskPaths, ...(maskVolumes ? volumes : [])].map((mask) => cleanPath(fromText(mask)))
}

/** Below both a thread costs more than it saves. */
const WORTH_A_THREAD = { files: 256, bytes: 32 * 1024 * 1024 }
/** Parts of the work: small enough that no thread is left alone with the rest. */
const BATCH = { files: 512, bytes: 64 * 1024 * 1024 }

export function hasher(bundle: OpenBundle, options: ThreadOptions): HashFiles {
  const root = `${bundle.path}/${ROOTFS_DIRECTORY}`
  return async (files) => {
    if (files.length === 0) return []
    const threads = isWorthThreads(files) ? options.jobs : 0
    return withThreads(threads, options, async (pool, control) => {
      const digests = batches(files).map((paths) =>
        pool.run({ type: 'hash-files', root, paths }, control)
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
