/** The hash trees of images, with which a kernel checks every block that it reads (dm-verity). */
import type { Digest } from '../../image/digest.ts'
import { withThreads, type ThreadOptions } from '../operation/threads.ts'
import { expectedImages, type ExpectedImage } from './compare-images.ts'
import type { ImageSet, VerityFile } from './image-set.ts'

/**
 * Makes a tree beside the image of each layer and the one that joins them.
 * @returns in the order of the layers, bottom first, each once; that of the joined image is the last
 * @throws SYSCALL_FAILED, ABORTED
 */
export async function makeHashTrees(
  directory: number,
  set: ImageSet,
  options: ThreadOptions
): Promise<VerityFile[]> {
  const images = expectedImages(set)
  const threads = Math.min(options.jobs, images.length)
  return withThreads(threads, options, (pool, control) =>
    Promise.all(
      images.map(async ({ name, uuid }: ExpectedImage) => {
        const files = { directory, name, tree: `${name}.verity`, uuid: Buffer.from(uuid, 'hex') }
        const { size, sha256, rootHash } = await pool.run({ type: 'hash-tree', ...files }, control)
        return {
          name: files.tree,
          digest: `sha256:${sha256}` as Digest,
          size,
          file: name,
          rootHash
        }
      })
    )
  )
}
