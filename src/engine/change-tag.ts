/** A tagged image gets one more layer. */
import { withFacts } from '../errors.ts'
import { parsePlatform } from '../image/platform.ts'
import { parseTag } from '../image/reference.ts'
import { whileInUse } from '../store/in-use.ts'
import { openLayout } from '../store/layout.ts'
import { resolveImage } from '../store/resolve.ts'
import { addToImage, assertPackable, type WriteLayer } from './add-to-image.ts'
import {
  normalizeChange,
  type ChangeOptions,
  type ChangeResult,
  type ChangeSettings
} from './change-options.ts'

/** Options of operations that change the image that a tag names. */
export interface TagOptions extends ChangeOptions {
  /** Tag of the result; default the tag of `image`. */
  tag?: string
  /** `os/arch[/variant]`: which image of an index; default the host's. */
  platform?: string
  /** `created_by` of the history entry, unless `history` says otherwise. */
  program?: string
}

/** Adds `write`'s layer to the image that the reference names. */
export async function changeTag(
  options: TagOptions,
  command: string,
  inheritAuthor: boolean,
  writer: (settings: ChangeSettings) => WriteLayer
): Promise<ChangeResult> {
  const settings = normalizeChange(options)
  try {
    const { path, tag } = settings.reference
    const platform = options.platform === undefined ? undefined : parsePlatform(options.platform)
    const newTag = options.tag === undefined ? tag : parseTag(options.tag)
    const layout = openLayout(path)
    return await whileInUse(layout.path, async () => {
      const base = resolveImage(layout, tag, platform)
      assertPackable(base, settings)
      const createdBy = `${options.program ?? 'oci-unpack'} ${command}`
      const { manifestDigest, layer } = await addToImage(
        { layout, base, tag: newTag, createdBy, inheritAuthor, settings },
        writer(settings)
      )
      return { manifestDigest, layer }
    })
  } catch (error) {
    throw withFacts(error, { image: options.image })
  }
}
