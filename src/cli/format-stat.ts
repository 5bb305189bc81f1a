/** What `stat` prints: the sections of umoci 0.6, or only the history, as umoci 0.4 prints it. */
import { display, fromText } from '../bytes.ts'
import type { ImageStat, PlatformStat, TagStat } from '../inspect.ts'
import { formatDetails } from './format-details.ts'
import { formatHistory } from './format-history.ts'
import { platformName } from './platform-name.ts'

type Part = 'everything' | 'history'

export function formatStat(stat: TagStat, part: Part): string {
  if (stat.kind === 'image') return formatImage(stat.image, part)
  return stat.images.map((image) => formatPlatform(image, part)).join('\n')
}

function formatPlatform({ platform, descriptor, image }: PlatformStat, part: Part): string {
  const body = image === undefined ? 'not in this layout\n' : formatImage(image, part)
  return `${platformName(platform)} ${descriptor.digest}\n${body}`
}

function formatImage(image: ImageStat, part: Part): string {
  if (part === 'everything') return formatDetails(image)
  return formatHistory(image.config?.history ?? [], onOneLine)
}

/** Keeps tabs, as umoci does, and escapes everything else that could move a terminal's cursor. */
function onOneLine(text: string): string {
  return display(fromText(text.replaceAll('\t', ' ')))
}
