/** Changes a tagged image. */
import { parsePlatform } from '../../image/platform.ts'
import { parseTag } from '../../image/tag.ts'
import { whileInUse } from '../../store/blobs-lock.ts'
import { openLayout } from '../../store/layout.ts'
import { resolveImage } from '../../store/resolve.ts'
import { pause } from '../operation/abort.ts'
import { asked } from '../operation/asked.ts'
import { addToImage, assertPackable, type DocumentEdit, type WriteLayer } from './add-to-image.ts'
import {
  normalizeChange,
  type ChangeOptions,
  type ChangeResult,
  type ChangeSettings
} from './change-options.ts'

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
  inheritAuthor: boolean
  edit?: DocumentEdit
  /** Writes the new layer; undefined if there is none. */
  write?: (settings: ChangeSettings) => WriteLayer
}

/** Changes the image that the reference names. */
export async function changeTag(
  options: TagOptions,
  { command, write, ...change }: TagChange
): Promise<ChangeResult> {
  const settings = normalizeChange(options)
  return asked({ image: options.image }, () => {
    const { path, tag } = settings.reference
    const platform = options.platform === undefined ? undefined : parsePlatform(options.platform)
    const newTag = options.tag === undefined ? tag : parseTag(options.tag)
    const layout = openLayout(path)
    return whileInUse(
      layout.path,
      () => pause(settings.signal),
      async () => {
        const base = resolveImage(layout, tag, platform)
        if (write !== undefined) assertPackable(base, settings)
        const createdBy = `${options.program ?? 'oci-unpack'} ${command}`
        const { manifestDigest, layer } = await addToImage(
          { layout, base, tag: newTag, createdBy, settings, ...change },
          write?.(settings)
        )
        return { manifestDigest, layer }
      }
    )
  })
}
