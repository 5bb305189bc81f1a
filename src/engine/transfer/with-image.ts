/** An image that a story works on: found, announced, and kept while it is read. */
import type { Program } from '../../codec/programs.ts'
import type { Facts } from '../../errors.ts'
import { target } from '../../image/choice.ts'
import { platformText } from '../../image/platform.ts'
import { prepared } from '../../store/image-source.ts'
import { assertLayers, resolveImage, type ResolvedImage } from '../../store/resolve.ts'
import type { ImageJob } from '../extract/job.ts'
import type { ImageSettings } from '../extract/unpack-options.ts'
import type { EngineEvent } from '../operation/events.ts'
import { withSource } from './with-source.ts'

/** @param name the image as its user named it @throws OciUnpackError with a stable `code` */
export async function withImage<Settings extends ImageSettings, T>(
  name: string,
  settings: Settings,
  act: (job: ImageJob & { settings: Settings }) => Promise<T>
): Promise<T> {
  const { reference, layoutOptions, platform, registry, signal, onEvent } = settings
  return withSource(
    reference,
    { ...layoutOptions, registry, signal, onEvent },
    async (source, tag) => {
      const image = await prepared(source, () => resolveImage(source, tag, platform))
      assertLayers(image)
      onEvent(imageEvent(name, image))
      for (const choice of choices(image, settings)) onEvent(choice)
      return act({ source, image, settings })
    }
  )
}

function choices(
  { descriptorPath, config }: ResolvedImage,
  { jobs, decompressor }: ImageSettings
): EngineEvent[] {
  const { digest } = target(descriptorPath)
  const { gzip = 'Node', zstd = 'Node' } = decompressor
  const how = `${jobs} threads, gzip by ${programName(gzip)}, zstd by ${programName(zstd)}`
  const chosen: [string, Facts][] = [
    ['The image is chosen.', { platform: platformText(config), found: digest }],
    ['Layers are read.', { found: how }]
  ]
  return chosen.map(([message, facts]) => ({ type: 'choice', message, facts }))
}

function programName(program: Program | string): string {
  return typeof program === 'string' ? program : program.path
}

/** The first event of all that reads layers. */
function imageEvent(
  name: string,
  { descriptorPath, manifest, config }: ResolvedImage
): EngineEvent {
  const layers = manifest.layers.map(({ digest, mediaType, size }, index) => ({
    digest,
    diffId: config.rootfs.diff_ids[index]!,
    mediaType,
    size
  }))
  return { type: 'image', image: name, manifest: target(descriptorPath).digest, layers }
}
