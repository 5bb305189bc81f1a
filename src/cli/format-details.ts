/** Manifest, config and history of an image in the sections that umoci prints since 0.6. */
import { goTime } from '../image/go-time.ts'
import type { Descriptor, ImageConfig, ImageManifest, ImageStat, Platform } from '../inspect.ts'
import { humanSize } from './bytes.ts'
import { formatHistory } from './format-history.ts'
import { goQuote, quoteIfNeeded, quotePrecisely } from './go-quote.ts'
import { hexDump } from './hex-dump.ts'

export function formatDetails({ manifest, config }: ImageStat): string {
  const sections = [
    ['== MANIFEST ==', ...manifestLines(manifest.content), ...descriptorLines(manifest.descriptor)]
  ]
  if (config !== undefined) {
    const content = config.content === undefined ? [] : configLines(config.content)
    sections.push(['== CONFIG ==', ...content, ...descriptorLines(config.descriptor)])
  }
  const text = sections.map((lines) => lines.join('\n')).join('\n\n')
  if (config?.content === undefined) return `${text}\n`
  return `${text}\n\n== HISTORY ==\n${formatHistory(config.history, quoteIfNeeded)}`
}

function manifestLines(manifest: ImageManifest): string[] {
  const { schemaVersion, mediaType, artifactType, config, layers, subject, annotations } = manifest
  return [
    value('Schema Version', String(schemaVersion)),
    value('Media Type', mediaType ?? ''),
    ...some(artifactType, (it) => [value('Artifact Type', it)]),
    'Config:',
    ...indent(descriptorLines(config)),
    ...(layers.length === 0 ? [] : ['Layers:', ...indent(layers.flatMap(descriptorLines))]),
    ...some(subject, (it) => ['Subject:', ...indent(descriptorLines(it))]),
    ...some(annotations, (it) => map('Annotations', it))
  ]
}

function descriptorLines(descriptor: Descriptor): string[] {
  const { mediaType, artifactType, digest, size, platform, urls, annotations, data } = descriptor
  return [
    'Descriptor:',
    ...indent([
      value('Media Type', mediaType),
      ...some(artifactType, (it) => [value('Artifact Type', it)]),
      value('Digest', digest),
      value('Size', humanSize(size)),
      ...some(platform, platformLines),
      ...some(urls, (it) => list('URLs', it)),
      ...some(annotations, (it) => map('Annotations', it)),
      ...some(data, (it) => dataLines(Buffer.from(it, 'base64')))
    ])
  ]
}

function configLines(image: ImageConfig): string[] {
  return [
    ...some(image.created, (it) => [value('Created', goTime(it))]),
    value('Author', image.author ?? ''),
    ...platformLines(image),
    'Image Config:',
    ...indent(executionLines(image.config ?? {}))
  ]
}

function executionLines(config: NonNullable<ImageConfig['config']>): string[] {
  const escaped = config.ArgsEscaped === true ? ' (escaped)' : ''
  return [
    value('User', config.User ?? ''),
    ...some(config.Entrypoint, (it) => list(`Entrypoint${escaped}`, it)),
    ...list(`Command${escaped}`, config.Cmd ?? []),
    ...some(config.WorkingDir, (it) => [value('Working Directory', it)]),
    ...some(config.Env, (it) => list('Environment', it)),
    ...some(config.StopSignal, (it) => [value('Stop Signal', it)]),
    ...some(config.ExposedPorts, (it) => [value('Exposed Ports', ...sortedKeys(it))]),
    ...some(config.Volumes, (it) => [value('Volumes', ...sortedKeys(it))]),
    ...some(config.Labels, (it) => map('Labels', it))
  ]
}

/** As in Go, what is missing is empty. */
function platformLines(platform: Partial<Platform>): string[] {
  const { os = '', architecture = '', variant } = platform
  const suffix = variant === undefined || variant === '' ? '' : ` (${quoteIfNeeded(variant)})`
  return [
    'Platform:',
    ...indent([
      value('OS', os),
      ...some(platform['os.version'], (it) => [value('OS Version', it)]),
      ...some(platform['os.features'], (it) => [value('OS Features', ...it)]),
      `Architecture: ${quotePrecisely(architecture)}${suffix}`
    ])
  ]
}

function dataLines(data: Buffer): string[] {
  return [`Data: (${data.length} bytes)`, ...indent(hexDump(data))]
}

/** Values in a row. A value with a comma is quoted, since it would look like two. */
function value(key: string, ...values: string[]): string {
  const shown = values.map((it) => (it.includes(',') ? goQuote(it) : quotePrecisely(it)))
  return `${key}: ${shown.join(', ')}`
}

function list(key: string, values: readonly string[]): string[] {
  return values.length === 0
    ? [`${key}: (empty)`]
    : [`${key}:`, ...indent(values.map(quotePrecisely))]
}

function map(key: string, members: Readonly<Record<string, string>>): string[] {
  const lines = sortedKeys(members).map((name) => value(quotePrecisely(name), members[name]!))
  return [`${key}:`, ...indent(lines)]
}

function sortedKeys(members: object): string[] {
  return Object.keys(members).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `\t${line}`)
}

/** Empty counts as missing, since Go does not distinguish them. */
function some<T extends string | object>(
  part: T | undefined,
  lines: (part: T) => string[]
): string[] {
  const isEmpty =
    part === undefined ||
    part === '' ||
    (typeof part === 'object' && Object.keys(part).length === 0)
  return isEmpty ? [] : lines(part)
}
