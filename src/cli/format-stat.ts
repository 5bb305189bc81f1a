/** What `stat` prints: the history of an image in the layout of umoci 0.4. */
import { display, fromText } from '../bytes.ts'
import type { ImageStat, PlatformStat, TagStat } from '../inspect.ts'
import { formatDetails } from './format-details.ts'
import { formatHistory } from './format-history.ts'
import { platformName } from './platform-name.ts'

/** @param long also prints all of manifest and config, in the sections of newer versions of umoci */
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

/** Keeps tabs, as umoci does, and escapes everything else that could move a terminal's cursor. */
function onOneLine(text: string): string {
  return display(fromText(text.replaceAll('\t', ' ')))
}
