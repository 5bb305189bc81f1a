/** Changes a tagged image. */
import { OciUnpackError } from '../errors.ts'
import { parsePlatform } from '../image/platform.ts'
import { parseTag } from '../image/tag.ts'
import { foundAs } from '../image/tags.ts'
import type { ImageSource } from '../store/image-source.ts'
import { assertLayers, resolveImage, type ResolvedImage } from '../store/resolve.ts'
import { parseChangeable } from '../transports/image-name.ts'
import { asked } from './operation/asked.ts'
import { warningTo } from './operation/warnings.ts'
import { whileChanging } from './transfer/while-changing.ts'
import { addToImage, type DocumentEdit } from './edit/add-to-image.ts'
import {
  normalizeChange,
  type ChangeOptions,
  type ChangeResult,
  type ChangeSettings
} from './edit/change-options.ts'
import { historyEntry } from './edit/history.ts'
import type { NewLayer, WriteLayer } from './edit/layer-writer.ts'
import { choosePacking } from './edit/packing.ts'

/** The options of operations that change a tagged image. */
export interface TagOptions extends ChangeOptions {
  /** Tag of the result; default the tag of `image`. */
  tag?: string
  /** `os/arch[/variant]`: which image of an index; default the host's. */
  platform?: string
  /** `created_by` of the history entry, unless `history` says otherwise. */
  program?: string
}

/** What an operation does to the image. */
interface TagChange {
  /** The name of the command in `created_by`. */
  command: string
  /** umoci gives the image's author to all but insert. */
  inheritAuthor: boolean
  edit?: DocumentEdit
  /** Writes the new layer; undefined if there is none. */
  write?: (settings: ChangeSettings) => WriteLayer
}

/** Changes the image that the reference names. */
export async function changeTag(options: TagOptions, change: TagChange): Promise<ChangeResult> {
  const onWarning = warningTo(options.onEvent)
  const settings = normalizeChange(options, parseChangeable(options.image, onWarning))
  return asked({ image: options.image }, () => {
    const platform = options.platform === undefined ? undefined : parsePlatform(options.platform)
    const newTag = options.tag === undefined ? undefined : parseTag(options.tag)
    const documents = (source: ImageSource, tag: string | undefined): void =>
      void resolveImage(source, tag, platform)
    const changing = { ...settings, documents }
    return whileChanging(settings.reference, changing, async ({ layout, tag, publish }) => {
      const base = resolveImage(layout, tag, platform)
      if (change.write !== undefined) assertLayers(base)
      const moved = newTag ?? tagToMove(base, tag)
      const { result } = await addToImage({
        layout,
        base,
        tag: moved,
        layer: newLayer(base, change, settings),
        history: historyEntry(settings, {
          author: change.inheritAuthor ? authorOf(base, change) : undefined,
          createdBy: `${options.program ?? 'oci-unpack'} ${change.command}`
        }),
        edit: change.edit,
        onEvent: settings.onEvent,
        signal: settings.signal
      })
      await publish(moved)
      return result
    })
  })
}

/** The tag of the image that is changed in place; `latest` if it has none. */
function tagToMove({ descriptorPath: [entry] }: ResolvedImage, name: string | undefined): string {
  const tag = foundAs(entry, name)
  if (tag !== undefined) return tag
  throw new OciUnpackError(
    'REFERENCE_INVALID',
    'An image that is named by its digest needs a tag.',
    {
      hint: 'Give the tag of the new image with {tag}.'
    }
  )
}

function newLayer(
  base: ResolvedImage,
  { write }: TagChange,
  settings: ChangeSettings
): NewLayer | undefined {
  if (write === undefined) return undefined
  return { packing: choosePacking(base, settings), write: write(settings) }
}

/** The author that the image has from here on. */
function authorOf({ config }: ResolvedImage, { edit }: TagChange): string | undefined {
  return (edit?.config?.(config) ?? config).author
}
