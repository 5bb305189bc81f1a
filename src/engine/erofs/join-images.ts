/** Writes the images that join the images of layers, while threads hash those. */
import { BLOCK } from '../../erofs/format.ts'
import { mergedImage, type MergedImageOptions, type MergedParts } from '../../erofs/write-image.ts'
import type { Digest } from '../../image/digest.ts'
import { hashFile } from '../../rootfs/hash-file.ts'
import { NewImage, writeMetadata } from '../../rootfs/write-erofs.ts'
import { heedSignals } from '../operation/abort.ts'
import type { ThreadOptions } from '../operation/threads.ts'
import { imageDigests } from './image-digests.ts'
import type { ErofsFile, ImageSet } from './image-set.ts'
import { mergedUuid } from './image-uuid.ts'
import type { LayerImages } from './layer-images.ts'

type Form = MergedImageOptions['form']

export interface JoinedImages {
  /** The layers, bottom first. */
  devices: ImageSet['devices']
  /** One for each form that was asked for. */
  joined: ErofsFile[]
}

/**
 * @param directory that the images of the layers are in
 * @throws LIMIT_EXCEEDED, ENTRY_INVALID, SYSCALL_FAILED, ABORTED
 */
export async function joinImages(
  directory: number,
  made: LayerImages,
  { chainId, forms, threads }: { chainId: Digest; forms: readonly Form[]; threads: ThreadOptions }
): Promise<JoinedImages> {
  const { layers } = made
  const files: JoinedFile[] = []
  try {
    const once = new Map(layers.map((layer) => [layer.name, layer]))
    const hashing = imageDigests(directory, [...once.values()], threads)
    const writing = heedSignals(threads.signal).then(() => {
      for (const form of forms)
        files.push(new JoinedFile(directory, JOINED_NAMES[form], join(made, chainId, form)))
    })
    const [digests] = await both(hashing, writing)
    const tags = layers.map(({ name }) => digests.get(name)!)
    return { devices: devicesOf(layers, tags), joined: files.map((file) => file.finish(tags)) }
  } finally {
    for (const file of files) file.close()
  }
}

const JOINED_NAMES: Readonly<Record<Form, string>> = {
  devices: 'merged.erofs',
  linear: 'linear.erofs'
}

function join({ layers, merged }: LayerImages, chainId: Digest, form: Form): MergedParts {
  const uuid = mergedUuid(chainId, form)
  return mergedImage(merged, { devices: layers, form, uuid })
}

/** Waits for both, even after a failure, so that no thread still reads when it throws. */
async function both<A, B>(one: Promise<A>, two: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, two])
  return Promise.all([one, two])
}

function devicesOf(layers: LayerImages['layers'], digests: readonly string[]): ImageSet['devices'] {
  return layers.map(({ name, blocks, diffId }, i) => ({
    name,
    digest: `sha256:${digests[i]!}` as Digest,
    size: blocks * BLOCK,
    diffId
  }))
}

/** The file of an image whose header is written last. */
class JoinedFile {
  private readonly directory: number
  private readonly name: string
  private readonly parts: MergedParts
  private readonly output: NewImage

  constructor(directory: number, name: string, parts: MergedParts) {
    this.directory = directory
    this.name = name
    this.parts = parts
    this.output = NewImage.make(directory, name)
    try {
      writeMetadata(this.output, parts)
    } catch (error) {
      this.close()
      throw error
    }
  }

  finish(tags: readonly string[]): ErofsFile {
    const { name, parts } = this
    const size = parts.blocks * BLOCK
    this.output.finish(parts.header(tags), size)
    const sha256 = hashFile(this.directory, name, () => undefined)
    return { name, digest: `sha256:${sha256}` as Digest, size }
  }

  close(): void {
    this.output.close()
  }
}
