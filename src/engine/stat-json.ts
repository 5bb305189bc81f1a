/** Prints an image as a line of JSON. */
import { compactJson } from '../image/compact-json.ts'
import { jsonText } from '../image/go-json.ts'
import type { Json } from '../image/json.ts'
import { DESCRIPTOR_SHAPE, HISTORY_FIELDS, list, PLATFORM_SHAPE, struct } from '../image/shape.ts'
import type { Descriptor } from '../image/types.ts'
import type { DocumentStat, HistoryStat, ImageStat, PlatformStat, TagStat } from './stat-image.ts'

/**
 * One line of JSON with its newline. For an image it is what `umoci stat --json` prints, with the text of the documents as
 * it is stored, on one line; for an index `{"index": descriptor, "images": [{"platform", "descriptor", "image"}]}`.
 */
export function statJson(stat: TagStat): string {
  const text =
    stat.kind === 'image'
      ? imageText(stat.image)
      : object({
          index: descriptorText(stat.descriptor),
          images: `[${stat.images.map(platformText).join(',')}]`
        })
  return `${text}\n`
}

function platformText({ platform, descriptor, image }: PlatformStat): string {
  return object({
    platform: platform && jsonText(platform as unknown as Json, PLATFORM_SHAPE),
    descriptor: descriptorText(descriptor),
    image: image === undefined ? 'null' : imageText(image)
  })
}

function imageText({ manifest, config }: ImageStat): string {
  return object({
    manifest: documentText(manifest),
    config: config && documentText(config),
    history:
      config?.content && jsonText(config.history.map(historyValue) as unknown as Json, HISTORY)
  })
}

function documentText({ descriptor, raw }: DocumentStat<unknown>): string {
  return object({ descriptor: descriptorText(descriptor), blob: compactJson(raw) })
}

const HISTORY = list(
  struct({ layer: DESCRIPTOR_SHAPE, diff_id: { kind: 'any' }, ...HISTORY_FIELDS })
)

/** Go omits empty fields. */
function historyValue({ layer, diffId, entry }: HistoryStat): object {
  const members = Object.entries(entry).filter(([, value]) => value !== '' && value !== false)
  return { layer: layer ?? null, diff_id: diffId ?? '', ...Object.fromEntries(members) }
}

function descriptorText(descriptor: Descriptor): string {
  return jsonText(descriptor as unknown as Json, DESCRIPTOR_SHAPE)
}

/** An object of texts; those that are undefined are left out. */
function object(members: Readonly<Record<string, string | undefined>>): string {
  const shown = Object.entries(members).flatMap(([name, text]) =>
    text === undefined ? [] : [`"${name}":${text}`]
  )
  return `{${shown.join(',')}}`
}
