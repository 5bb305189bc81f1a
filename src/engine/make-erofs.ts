/** Makes EROFS images of an image: one of each layer, and one that joins them. */
import { resolve } from 'node:path'
import { OciUnpackError } from '../errors.ts'
import { target } from '../image/choice.ts'
import { chainIds, digestOf, type Digest } from '../image/digest.ts'
import { IMAGE_MODE } from '../rootfs/write-erofs.ts'
import { flush } from '../sys/durable.ts'
import { close, openDirectory, writeNewFile } from '../sys/files.ts'
import { makeDirectory } from '../sys/names.ts'
import { IMAGE_SET_FILE, type ErofsFile, type ImageSet } from './erofs/image-set.ts'
import { joinImages } from './erofs/join-images.ts'
import { makeHashTrees } from './erofs/hash-trees.ts'
import { withLayerCache } from './erofs/layer-cache.ts'
import { makeLayerImages, type LayerImages } from './erofs/layer-images.ts'
import { DISK_FILE, diskDescriptor } from './erofs/vm-disk.ts'
import type { ImageJob } from './extract/job.ts'
import { normalizeImage, type ImageOptions } from './extract/unpack-options.ts'
import { heedSignals } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import { requireOptions } from './operation/required-options.ts'
import { keepingThreads } from './operation/threads.ts'
import { withWorkspace } from './place/with-workspace.ts'
import type { Workspace } from './place/workspace.ts'
import { withImage } from './transfer/with-image.ts'

export interface MakeErofsOptions extends ImageOptions {
  /** A directory that does not exist. */
  destination: string
  /**
   * Also make `disk.vmdk`, with which a virtual machine sees all images as one disk that it can mount:
   * - `devices`: with Linux 6.4 or newer
   * - `linear`: also with older kernels (5.4; if the image has sparse files, 5.15), for which the disk begins with an image
   *   of its own, `linear.erofs`
   */
  vmdk?: VmdkForm
  /**
   * A directory of images of layers, in the layout of containerd's `layer_content_caches`. Those that it has are compared with
   * the layers and not written again; others are added. On the same file system, both directories share the files.
   */
  cache?: string
  /**
   * Also make a hash tree of each layer and of the image that joins them, with which dm-verity checks every block that is
   * read. The root hashes are in `erofs.json`.
   */
  verity?: boolean
}

export type VmdkForm = 'devices' | 'linear'

export interface MakeErofsResult {
  /** Absolute path of the directory. */
  destination: string
  /** What is in it, as in its `erofs.json`. */
  images: ImageSet
}

/**
 * Makes a directory with an EROFS image of each layer, one that joins them, and `erofs.json`, which says how they belong
 * together. Everything is verified before the directory appears, complete. The same image gives the same bytes on any
 * machine, with any number of threads.
 * @throws OciUnpackError with a stable `code`
 */
export async function makeErofs(options: MakeErofsOptions): Promise<MakeErofsResult> {
  requireOptions(options, { image: 'text', destination: 'text' })
  if (options.destination === '')
    throw new OciUnpackError('USAGE', 'The path of the destination is empty.')
  checkForm(options.vmdk)
  const destination = resolve(options.destination)
  checkCache(options.cache, destination)
  return asked({ image: options.image }, () =>
    withImage(options.image, normalizeImage(options), (job) =>
      withWorkspace(destination, job.settings.onEvent, async (workspace) => {
        assertNew(workspace)
        assertLayers(job)
        const images = await keepingThreads(job.settings, (settings) =>
          makeImages({ ...job, settings }, workspace, options)
        )
        return { destination, images }
      })
    )
  )
}

/** JavaScript callers may give anything. */
function checkForm(form: string | undefined): void {
  if (form === undefined || form === 'devices' || form === 'linear') return
  throw new OciUnpackError('USAGE', 'The form of the disk is not known.', {
    facts: { expected: 'devices or linear', found: form }
  })
}

function checkCache(cache: string | undefined, destination: string): void {
  if (cache === undefined) return
  if (typeof (cache as unknown) !== 'string' || cache === '')
    throw new OciUnpackError('USAGE', 'The path of the cache is empty or not a text.')
  if (`${resolve(cache)}/`.startsWith(`${destination}/`))
    throw new OciUnpackError('USAGE', 'The cache would be in the directory that is to be made.', {
      facts: { path: resolve(cache) }
    })
}

function assertNew({ existing, destination }: Workspace): void {
  if (existing === undefined) return
  throw new OciUnpackError('BUNDLE_EXISTS', 'The directory for EROFS images exists.', {
    facts: { path: destination },
    hint: 'Choose another directory, or remove this one.'
  })
}

function assertLayers({ image }: ImageJob): void {
  if (image.config.rootfs.diff_ids.length > 0) return
  throw new OciUnpackError('USAGE', 'The image has no layers that EROFS images could be made of.')
}

/** The directory in the workspace that becomes the destination. */
const IMAGES = 'images'

async function makeImages(
  job: ImageJob,
  workspace: Workspace,
  { vmdk, cache, verity = false }: MakeErofsOptions
): Promise<ImageSet> {
  makeDirectory(workspace.fd, IMAGES, 0o777)
  const directory = openDirectory(workspace.fd, IMAGES)
  try {
    const made = await withLayerCache(cache, job.settings.onEvent, (layers) =>
      makeLayerImages(job, directory, layers)
    )
    await heedSignals(job.settings.signal)
    const images = await completeSet(job, directory, made, vmdk)
    if (verity) images.verity = await makeHashTrees(directory, images, job.settings)
    const text = Buffer.from(`${JSON.stringify(images, undefined, 2)}\n`)
    writeNewFile(directory, IMAGE_SET_FILE, text, 0o644)
    flush(directory)
    await heedSignals(job.settings.signal)
    workspace.publishOnly(IMAGES)
    return images
  } finally {
    close(directory)
  }
}

/** Everything that is made of the images of the layers. */
async function completeSet(
  job: ImageJob,
  directory: number,
  made: LayerImages,
  vmdk: VmdkForm | undefined
): Promise<ImageSet> {
  const image = { digest: target(job.image.descriptorPath).digest, chainId: chainId(job) }
  const { devices, joined } = await joinImages(directory, made, {
    chainId: image.chainId,
    forms: vmdk === 'linear' ? ['devices', 'linear'] : ['devices'],
    threads: job.settings
  })
  const [merged, linear] = joined
  const images: ImageSet = { formatVersion: 1, image, merged: merged!, devices }
  if (linear !== undefined) images.linear = linear
  if (vmdk !== undefined) images.disk = writeDisk(directory, images)
  return images
}

function writeDisk(directory: number, images: ImageSet): ErofsFile {
  const descriptor = diskDescriptor(images)
  writeNewFile(directory, DISK_FILE, descriptor, IMAGE_MODE)
  return { name: DISK_FILE, digest: digestOf(descriptor), size: descriptor.length }
}

function chainId({ image }: ImageJob): Digest {
  return chainIds(image.config.rootfs.diff_ids).at(-1)!
}
