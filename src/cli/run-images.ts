/** Runs `verify` and `copy`. */
import { OciUnpackError } from '../errors.ts'
import { copy, verify, type BlobReport } from '../index.ts'
import { isSet, text, type Run } from './command.ts'
import { platformOption } from './flag-values.ts'
import { LIMIT_FLAGS } from './flags.ts'
import { formatFault } from './format-fault.ts'
import { readOptions } from './image-options.ts'
import { warningsOf } from './progress/log.ts'
import { withEvents } from './progress/show.ts'
import { registryOption, twoRegistriesOptions } from './registry-values.ts'

export const runVerify: Run = async (input, terminal) => {
  const image = text(input, 'image')
  const layout = text(input, 'layout')
  const result = await verify({
    ...(image === undefined ? {} : { image }),
    ...(layout === undefined ? {} : { layout }),
    ...readOptions(input, terminal),
    ...(await registryOption(input, terminal)),
    onEvent: warningsOf(terminal)
  })
  terminal.out(isSet(input, 'json') ? `${JSON.stringify(result)}\n` : formatTable(result.blobs))
  if (!result.ok) throw damaged(result.blobs)
}

export const runCopy: Run = async (input, terminal) => {
  const [source = '', destination = ''] = input.positionals
  const registries = await twoRegistriesOptions(input, terminal)
  await withEvents(terminal, (onEvent) =>
    copy({
      source,
      destination,
      ...platformOption(input),
      referrers: isSet(input, 'referrers'),
      ...readOptions(input, terminal),
      ...registries,
      onEvent
    })
  )
}

function formatTable(blobs: readonly BlobReport[]): string {
  const width = Math.max(4, ...blobs.map(({ size }) => String(size).length))
  const line = (status: string, role: string, size: string, digest: string): string =>
    `${status.padEnd(7)}  ${role.padEnd(8)}  ${size.padStart(width)}  ${digest}\n`
  const rows = blobs.map(
    (blob) => line(blob.status, blob.role, String(blob.size), blob.digest) + faultOf(blob)
  )
  return line('STATUS', 'ROLE', 'SIZE', 'DIGEST') + rows.join('')
}

/** A hint is shown if it names a flag; others are about copying again. */
function faultOf({ error }: BlobReport): string {
  const hint = /limits\.\w+/.test(error?.hint ?? '') ? inFlags(error!.hint!) : undefined
  return formatFault(error, hint)
}

function inFlags(hint: string): string {
  return LIMIT_FLAGS.reduce((text, { option, name }) => text.replaceAll(option, `--${name}`), hint)
}

function damaged(blobs: readonly BlobReport[]): OciUnpackError {
  const bad = blobs.filter(({ status }) => status === 'missing' || status === 'damaged')
  const isWhole = bad.every(({ error }) => !error!.code.startsWith('BLOB_'))
  return new OciUnpackError('IMAGE_DAMAGED', messageFor(isWhole), {
    facts: { found: `${bad.length} of ${blobs.length} blobs missing or damaged` },
    hint: isWhole
      ? 'All blobs are what their digests say, so another copy will not help: the image was made like this.'
      : 'Copy the image again from an undamaged source.'
  })
}

function messageFor(isWhole: boolean): string {
  return isWhole ? 'The image cannot be unpacked.' : 'Blobs are missing or damaged.'
}
