/** The blobs of an image that is unpacked, kept in a layout, where later commands find them. */
import { target } from '../../image/choice.ts'
import { prepared } from '../../store/image-source.ts'
import { resolveImage } from '../../store/resolve.ts'
import { parseTagInLayout } from '../../transports/image-name.ts'
import type { ImageName } from '../../transports/list.ts'
import { writeLayout } from '../../transports/write-layout.ts'
import type { ImageSettings } from '../extract/unpack-options.ts'
import { leftoverTo } from '../operation/leftover.ts'
import { transferHelp } from './transfer-help.ts'
import { withSource } from './with-source.ts'

/**
 * Copies the image of the chosen platform into a layout, which is made if it does not exist, and returns its name there.
 * Blobs that the layout has are not fetched again. @param layout `PATH[:TAG]`; default the tag that the image has
 */
export async function keepBlobs(layout: string, settings: ImageSettings): Promise<ImageName> {
  const { reference, layoutOptions, platform, registry, signal, onEvent } = settings
  const to = parseTagInLayout(layout, reference.tag)
  const help = { ...transferHelp(settings), onLeftover: leftoverTo(onEvent) }
  const opening = { ...layoutOptions, registry, signal, onEvent }
  await withSource(reference, opening, async (source, tag) => {
    const image = await prepared(source, () => resolveImage(source, tag, platform))
    const { digest } = target(image.descriptorPath)
    await writeLayout(to, { source, tag: `@${digest}`, platform: undefined }, help)
  })
  return { transport: 'oci', ...to }
}
