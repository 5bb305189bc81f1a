/** Runs `verify` and `copy`. */
import { display, fromText } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { copy, verify, type BlobReport, type VerifyOptions } from '../index.ts'
import { isSet, text, type Input, type Run, type Terminal } from './command.ts'
import { formatFacts } from './facts.ts'
import { wholeNumber } from './flag-values.ts'
import { warningsOf } from './progress/log.ts'
import { withEvents } from './progress/show.ts'

export const runVerify: Run = async (input, terminal) => {
  const image = text(input, 'image')
  const layout = text(input, 'layout')
  const result = await verify({
    ...(image === undefined ? {} : { image }),
    ...(layout === undefined ? {} : { layout }),
    ...readOptions(input, terminal),
    onEvent: warningsOf(terminal)
  })
  terminal.out(isSet(input, 'json') ? `${JSON.stringify(result)}\n` : formatTable(result.blobs))
  if (!result.ok) throw damaged(result.blobs)
}

export const runCopy: Run = async (input, terminal) => {
  const [source = '', destination = ''] = input.positionals
  const platform = text(input, 'platform')
  await withEvents(terminal, (onEvent) =>
    copy({
      source,
      destination,
      ...(platform === undefined ? {} : { platform }),
      ...readOptions(input, terminal),
      onEvent
    })
  )
}

function readOptions(
  input: Input,
  { signal }: Terminal
): Pick<VerifyOptions, 'jobs' | 'decompressor' | 'signal'> {
  const jobs = wholeNumber(input, 'jobs')
  const decompressor = text(input, 'decompressor')
  return {
    signal,
    ...(jobs === undefined ? {} : { jobs }),
    ...(decompressor === undefined ? {} : { decompressor })
  }
}

function formatTable(blobs: readonly BlobReport[]): string {
  const width = Math.max(4, ...blobs.map(({ size }) => String(size).length))
  const line = (status: string, role: string, size: string, digest: string): string =>
    `${status.padEnd(7)}  ${role.padEnd(8)}  ${size.padStart(width)}  ${digest}\n`
  const rows = blobs.map(
    (blob) => line(blob.status, blob.role, String(blob.size), blob.digest) + formatFault(blob)
  )
  return line('STATUS', 'ROLE', 'SIZE', 'DIGEST') + rows.join('')
}

/** The fault is shown below its blob, indented. */
function formatFault({ error }: BlobReport): string {
  if (error === undefined) return ''
  const facts = formatFacts(error.facts).join('; ')
  return `         ${error.message} [${error.code}] ${display(fromText(facts))}\n`
}

function damaged(blobs: readonly BlobReport[]): OciUnpackError {
  const bad = blobs.filter(({ status }) => status === 'missing' || status === 'damaged')
  return new OciUnpackError('IMAGE_DAMAGED', 'Blobs are missing or damaged.', {
    facts: { found: `${bad.length} of ${blobs.length} blobs missing or damaged` },
    hint: 'Copy the image again from an undamaged source.'
  })
}
