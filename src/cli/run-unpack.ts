/** Runs `unpack` and `raw unpack`. */
import { unpack, unpackRootfs, type OnEvent, type UnpackOptions } from '../index.ts'
import { isSet, text, type Input, type Run, type Terminal } from './command.ts'
import { hooks } from './hook-values.ts'
import { idMaps } from './id-map-values.ts'
import { imageOptions } from './image-options.ts'
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

function options(input: Input, terminal: Terminal, onEvent: OnEvent): UnpackOptions {
  const layout = text(input, 'layout')
  return {
    ...imageOptions(input, terminal, onEvent),
    destination: input.positionals[0] ?? '',
    ...(layout === undefined ? {} : { layout }),
    rootless: isSet(input, 'rootless'),
    uidMap: idMaps(input, 'uid-map'),
    gidMap: idMaps(input, 'gid-map')
  }
}
