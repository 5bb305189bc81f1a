/** Prints an image as a line of JSON. */
import { stringifyJson } from '../image/go-json.ts'
import { parseJson, type Json } from '../image/json.ts'
import {
  DESCRIPTOR_SHAPE,
  HISTORY_FIELDS,
  list,
  PLATFORM_SHAPE,
  struct,
  type Shape
} from '../image/shape.ts'
import type { DocumentStat, HistoryStat, ImageStat, PlatformStat, TagStat } from './stat-image.ts'

/**
 * One line of JSON with its newline. For an image it is what `umoci stat --json` prints, documents as they are
 * stored; for an index `{"index": descriptor, "images": [{"platform", "descriptor", "image"}]}`.
 */
export function statJson(stat: TagStat): string {
  const [value, shape] =
    stat.kind === 'image'
      ? [imageValue(stat.image), IMAGE_SHAPE]
      : [{ index: stat.descriptor, images: stat.images.map(platformValue) }, TAG_SHAPE]
  return stringifyJson(value as unknown as Json, shape).toString()
}

const ANY: Shape = { kind: 'any' }
const DOCUMENT_SHAPE = struct({ descriptor: DESCRIPTOR_SHAPE, blob: ANY })
const HISTORY_ENTRY = struct({ layer: DESCRIPTOR_SHAPE, diff_id: ANY, ...HISTORY_FIELDS })
const IMAGE_SHAPE = struct({
  manifest: DOCUMENT_SHAPE,
  config: DOCUMENT_SHAPE,
  history: list(HISTORY_ENTRY)
})
const TAG_SHAPE = struct({
  index: DESCRIPTOR_SHAPE,
  images: list(
    struct({ platform: PLATFORM_SHAPE, descriptor: DESCRIPTOR_SHAPE, image: IMAGE_SHAPE })
  )
})

function platformValue({ platform, descriptor, image }: PlatformStat): object {
  return {
    ...(platform === undefined ? {} : { platform }),
    descriptor,
    image: image === undefined ? null : imageValue(image)
  }
}

function imageValue({ manifest, config }: ImageStat): object {
  if (config === undefined) return { manifest: documentValue(manifest) }
  const documents = { manifest: documentValue(manifest), config: documentValue(config) }
  if (config.content === undefined) return documents
  return { ...documents, history: config.history.map(historyValue) }
}

function documentValue({ descriptor, raw }: DocumentStat<unknown>): object {
  return { descriptor, blob: parseJson(raw) }
}

/** Go omits empty fields. */
function historyValue({ layer, diffId, entry }: HistoryStat): object {
  const members = Object.entries(entry).filter(([, value]) => value !== '' && value !== false)
  return { layer: layer ?? null, diff_id: diffId ?? '', ...Object.fromEntries(members) }
}
