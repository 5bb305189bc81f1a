/** Runs `list`. */
import { display, fromText } from '../bytes.ts'
import { listImages, listLayout, type ListedImage, type ListedPlatform } from '../inspect.ts'
import { humanSize } from './bytes.ts'
import { isSet, type Run } from './command.ts'
import { required } from './flag-values.ts'
import { warningsOf } from './progress/log.ts'
import { platformName } from './platform-name.ts'
import { formatTable } from './table.ts'

export const runList: Run = async (input, terminal) => {
  const options = { layout: required(input, 'layout'), onEvent: warningsOf(terminal) }
  if (isSet(input, 'json'))
    terminal.out(`${JSON.stringify((await listImages(options)).map(toJson))}\n`)
  else if (isSet(input, 'long')) terminal.out(formatLong(await listImages(options)))
  else for (const tag of await listLayout(options)) terminal.out(`${shown(tag)}\n`)
}

function toJson({ tag, descriptor, images, error }: ListedImage): object {
  return { tag: tag ?? null, descriptor, images, ...(error === undefined ? {} : { error }) }
}

function formatLong(images: readonly ListedImage[]): string {
  return formatTable([
    ['TAG', 'PLATFORM', 'LAYERS', 'SIZE', 'CREATED', 'DIGEST'],
    ...images.flatMap(rowsOf)
  ])
}

function rowsOf({ tag, name: ownName, descriptor, images, error }: ListedImage): string[][] {
  const name = tag === undefined && ownName.startsWith('@') ? '<none>' : shown(ownName)
  if (images.length === 0) return [[name, '<none>', '-', '-', error ?? '-', descriptor.digest]]
  return images.map((image) => [name, ...platformCells(image), image.digest])
}

function platformCells({ platform, layers, size, created }: ListedPlatform): string[] {
  return [platformName(platform), String(layers), humanSize(size), created ?? '<none>']
}

/** A tag that another program wrote may contain anything. */
function shown(tag: string): string {
  return display(fromText(tag))
}
