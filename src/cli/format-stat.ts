/** What `stat` prints: the history of an image as umoci 0.4 lays it out. */
import { display, fromText } from '../bytes.ts'
import type { ImageStat, PlatformStat, TagStat } from '../inspect.ts'
import { formatDetails } from './format-details.ts'
import { formatHistory } from './format-history.ts'
import { platformName } from './platform-name.ts'

/** @param long all of manifest and config too, in the sections of newer versions of umoci */
export function formatStat(stat: TagStat, long: boolean): string {
  if (stat.kind === 'image') return formatImage(stat.image, long)
  return stat.images.map((image) => formatPlatform(image, long)).join('\n')
}

function formatPlatform({ platform, descriptor, image }: PlatformStat, long: boolean): string {
  const body = image === undefined ? 'not in this layout\n' : formatImage(image, long)
  return `${platformName(platform)} ${descriptor.digest}\n${body}`
}

function formatImage(image: ImageStat, long: boolean): string {
  return long ? formatDetails(image) : formatHistory(image.config?.history ?? [], onOneLine)
}

/** Tabs as umoci has them; what else could move a terminal's cursor is escaped. */
function onOneLine(text: string): string {
  return display(fromText(text.replaceAll('\t', ' ')))
}
