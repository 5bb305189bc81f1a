/** Runs `list`. */
import { display, fromText } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import {
  listImages,
  listLayout,
  listReferrers,
  type ListedImage,
  type ListedPlatform,
  type ListedReferrer
} from '../inspect.ts'
import { humanSize } from './bytes.ts'
import { isSet, text, type Input, type Run, type Terminal } from './command.ts'
import { required } from './flag-values.ts'
import { warningsOf } from './progress/log.ts'
import { platformName } from './platform-name.ts'
import { registryOption } from './registry-values.ts'
import { formatTable } from './table.ts'

export const runList: Run = async (input, terminal) => {
  const listed = whatToList(input)
  if (listed.image !== undefined) return showReferrers(listed.image, input, terminal)
  const options = {
    layout: listed.place,
    ...(await registryOption(input, terminal)),
    signal: terminal.signal,
    onEvent: warningsOf(terminal)
  }
  if (isSet(input, 'json'))
    terminal.out(`${JSON.stringify((await listImages(options)).map(toJson))}\n`)
  else if (isSet(input, 'long')) terminal.out(formatLong(await listImages(options)))
  else for (const tag of await listLayout(options)) terminal.out(`${shown(tag)}\n`)
}

type Listed = { place: string; image?: undefined } | { image: string }

/** Says it in exactly one of three ways. */
function whatToList(input: Input): Listed {
  const image = text(input, 'referrers')
  const places = [text(input, 'layout'), ...input.positionals]
  const [place, ...more] = places.filter((given) => given !== undefined)
  if (more.length > 0 || (place !== undefined && image !== undefined))
    throw new OciUnpackError('USAGE', 'list takes a place, or an image with --referrers, not both.')
  return image === undefined ? { place: place ?? required(input, 'layout') } : { image }
}

async function showReferrers(image: string, input: Input, terminal: Terminal): Promise<void> {
  const found = await listReferrers({
    image,
    ...(await registryOption(input, terminal)),
    signal: terminal.signal,
    onEvent: warningsOf(terminal)
  })
  terminal.out(
    isSet(input, 'json') ? `${JSON.stringify(found.map(referrerJson))}\n` : formatReferrers(found)
  )
}

function referrerJson({ artifactType, tag, ...referrer }: ListedReferrer): object {
  return { artifactType: artifactType ?? null, tag: tag ?? null, ...referrer }
}

function formatReferrers(referrers: readonly ListedReferrer[]): string {
  return formatTable([
    ['ARTIFACT TYPE', 'SIZE', 'DIGEST', 'REFERS TO'],
    ...referrers.map(({ artifactType, descriptor: { size, digest }, subject }) => [
      artifactType === undefined ? '<none>' : shown(artifactType),
      humanSize(size),
      digest,
      subject
    ])
  ])
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
