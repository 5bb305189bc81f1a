/** Runs `unpack` and `raw unpack`. */
import { unpack, unpackRootfs, type UnpackOptions } from '../index.ts'
import { isSet, text, type Input, type Run, type Terminal } from './command.ts'
import { limits, platformOption, required, wholeNumber } from './flag-values.ts'
import { hooks } from './hook-values.ts'
import { idMaps } from './id-map-values.ts'
import { withEvents } from './progress/show.ts'
import { registryOption } from './registry-values.ts'

export const runUnpack: Run = async (input, terminal) => {
  const registry = await registryOption(input, terminal)
  await withEvents(terminal, (onEvent) =>
    unpack({
      ...options(input, terminal, onEvent),
      ...registry,
      ...manifest(input),
      ...hooks(input)
    })
  )
}

function manifest(input: Input): Pick<UnpackOptions, 'manifest'> {
  const kind = text(input, 'manifest') as UnpackOptions['manifest']
  return kind === undefined ? {} : { manifest: kind }
}

export const runRawUnpack: Run = async (input, terminal) => {
  const registry = await registryOption(input, terminal)
  await withEvents(terminal, (onEvent) =>
    unpackRootfs({ ...options(input, terminal, onEvent), ...registry })
  )
}

function options(
  input: Input,
  terminal: Terminal,
  onEvent: NonNullable<UnpackOptions['onEvent']>
): UnpackOptions {
  const jobs = wholeNumber(input, 'jobs')
  const decompressor = text(input, 'decompressor')
  const layout = text(input, 'layout')
  return {
    image: required(input, 'image'),
    destination: input.positionals[0] ?? '',
    ...platformOption(input),
    ...(layout === undefined ? {} : { layout }),
    ...(jobs === undefined ? {} : { jobs }),
    ...(decompressor === undefined ? {} : { decompressor }),
    keepDirlinks: isSet(input, 'keep-dirlinks'),
    rootless: isSet(input, 'rootless'),
    uidMap: idMaps(input, 'uid-map'),
    gidMap: idMaps(input, 'gid-map'),
    limits: limits(input),
    signal: terminal.signal,
    onEvent
  }
}
