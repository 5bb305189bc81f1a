/** Runs the commands for EROFS images. */
import { OciUnpackError } from '../errors.ts'
import {
  makeErofs,
  mountErofs,
  umountErofs,
  verifyErofs,
  type ErofsFileReport,
  type ErofsFileStatus,
  type MountErofsOptions,
  type VmdkForm
} from '../index.ts'
import { isSet, text, texts, type Run } from './command.ts'
import { jobsOption } from './flag-values.ts'
import { formatFault } from './format-fault.ts'
import { imageOptions } from './image-options.ts'
import { withEvents } from './progress/show.ts'
import { registryOption } from './registry-values.ts'

export const runErofsMake: Run = async (input, terminal) => {
  const vmdk = text(input, 'vmdk') as VmdkForm | undefined
  const cache = text(input, 'cache')
  const registry = await registryOption(input, terminal)
  const { images } = await withEvents(terminal, (onEvent) =>
    makeErofs({
      ...imageOptions(input, terminal, onEvent),
      ...registry,
      destination: input.positionals[0] ?? '',
      ...(vmdk === undefined ? {} : { vmdk }),
      ...(cache === undefined ? {} : { cache }),
      verity: isSet(input, 'verity')
    })
  )
  if (isSet(input, 'json')) terminal.out(`${JSON.stringify(images)}\n`)
}

export const runErofsVerify: Run = async (input, terminal) => {
  const result = await verifyErofs({
    directory: input.positionals[0] ?? '',
    ...jobsOption(input),
    signal: terminal.signal
  })
  const { files } = result
  terminal.out(isSet(input, 'json') ? `${JSON.stringify(result)}\n` : table(files))
  if (!result.ok) throw faulty(files)
}

export const runErofsMount: Run = async (input) => {
  const [directory = '', target = ''] = input.positionals
  const layers = texts(input, 'layer')
  const options = texts(input, 'options').flatMap((list) => list.split(','))
  await mountErofs({
    directory,
    target,
    ...(layers.length === 0 ? {} : { layers }),
    options: options as NonNullable<MountErofsOptions['options']>
  })
}

export const runErofsUmount: Run = async ({ positionals: [target = ''] }) => {
  await umountErofs({ target })
}

function table(files: readonly ErofsFileReport[]): string {
  const width = Math.max(...files.map(({ status }) => status.length), 'damaged'.length)
  return files
    .map(({ name, status, error }) => `${status.padEnd(width)}  ${name}\n${formatFault(error)}`)
    .join('')
}

function faulty(files: readonly ErofsFileReport[]): OciUnpackError {
  const share = (status: ErofsFileStatus): string =>
    `${files.filter((file) => file.status === status).length} of ${files.length} images`
  if (files.some(({ status }) => status === 'damaged'))
    return new OciUnpackError('EROFS_INVALID', 'EROFS images are damaged or missing.', {
      facts: { found: share('damaged') },
      hint: 'Make the images again.'
    })
  const { path, call } = files.find(({ status }) => status === 'unreadable')!.error!.facts
  return new OciUnpackError('SYSCALL_FAILED', 'EROFS images could not be read.', {
    facts: { path: path!, call: call!, found: share('unreadable') },
    hint: 'Nothing is known about these images. Verify them again where they can be read.'
  })
}
