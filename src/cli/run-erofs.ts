/** Runs the commands for EROFS images. */
import { display, fromText } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import {
  makeErofs,
  mountErofs,
  umountErofs,
  verifyErofs,
  type ErofsFileReport,
  type VmdkForm
} from '../index.ts'
import { isSet, text, texts, type Run } from './command.ts'
import { formatFacts } from './facts.ts'
import { limits, platformOption, required, wholeNumber } from './flag-values.ts'
import { withEvents } from './progress/show.ts'
import { registryOption } from './registry-values.ts'

export const runErofsMake: Run = async (input, terminal) => {
  const jobs = wholeNumber(input, 'jobs')
  const decompressor = text(input, 'decompressor')
  const vmdk = text(input, 'vmdk') as VmdkForm | undefined
  const registry = await registryOption(input, terminal)
  const { images } = await withEvents(terminal, (onEvent) =>
    makeErofs({
      image: required(input, 'image'),
      destination: input.positionals[0] ?? '',
      ...platformOption(input),
      ...registry,
      ...(vmdk === undefined ? {} : { vmdk }),
      ...(jobs === undefined ? {} : { jobs }),
      ...(decompressor === undefined ? {} : { decompressor }),
      keepDirlinks: isSet(input, 'keep-dirlinks'),
      limits: limits(input),
      signal: terminal.signal,
      onEvent
    })
  )
  if (isSet(input, 'json')) terminal.out(`${JSON.stringify(images)}\n`)
}

export const runErofsVerify: Run = async (input, terminal) => {
  const jobs = wholeNumber(input, 'jobs')
  const result = await verifyErofs({
    directory: input.positionals[0] ?? '',
    ...(jobs === undefined ? {} : { jobs }),
    signal: terminal.signal
  })
  const { files } = result
  terminal.out(isSet(input, 'json') ? `${JSON.stringify(result)}\n` : files.map(row).join(''))
  if (!result.ok) throw damaged(files)
}

export const runErofsMount: Run = async (input) => {
  const [directory = '', target = ''] = input.positionals
  const layers = texts(input, 'layer')
  await mountErofs({ directory, target, ...(layers.length === 0 ? {} : { layers }) })
}

export const runErofsUmount: Run = async ({ positionals: [target = ''] }) => {
  await umountErofs({ target })
}

/** The fault is shown below its file, indented. */
function row({ name, status, error }: ErofsFileReport): string {
  const line = `${status.padEnd(7)}  ${name}\n`
  if (error === undefined) return line
  const facts = formatFacts(error.facts).join('; ')
  return `${line}         ${error.message} [${error.code}] ${display(fromText(facts))}\n`
}

function damaged(files: readonly ErofsFileReport[]): OciUnpackError {
  const bad = files.filter(({ status }) => status !== 'ok')
  return new OciUnpackError('EROFS_INVALID', 'EROFS images are damaged or missing.', {
    facts: { found: `${bad.length} of ${files.length} images` },
    hint: 'Make the images again.'
  })
}
