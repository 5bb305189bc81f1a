/** Runs the commands that add a layer, and `diff`. */
import { OciUnpackError } from '../errors.ts'
import { addLayerArchive, diff, insert, repack } from '../index.ts'
import { changeOptions, tagOptions } from './change-values.ts'
import { isSet, texts, type Input, type Run } from './command.ts'
import { jobsOption } from './flag-values.ts'
import { formatDiff } from './format-diff.ts'
import { hooks } from './hook-values.ts'
import { idMaps } from './id-map-values.ts'
import { withEvents } from './progress/show.ts'
import { registryOption } from './registry-values.ts'

export const runRepack: Run = async (input, terminal) => {
  const registry = await registryOption(input, terminal)
  await withEvents(terminal, (onEvent) =>
    repack({
      ...changeOptions(input),
      ...registry,
      ...maskOptions(input),
      bundle: input.positionals[0] ?? '',
      ...hooks(input),
      refreshBundle: isSet(input, 'refresh-bundle'),
      verifyDelta: isSet(input, 'verify-delta'),
      signal: terminal.signal,
      onEvent
    })
  )
}

export const runDiff: Run = async (input, terminal) => {
  const entries = await withEvents(terminal, (onEvent) =>
    diff({
      ...maskOptions(input),
      bundle: input.positionals[0] ?? '',
      signal: terminal.signal,
      onEvent,
      ...jobsOption(input)
    })
  )
  for (const entry of entries)
    terminal.out(formatDiff(entry, isSet(input, 'json') ? 'json' : 'keywords', terminal.paint))
}

export const runInsert: Run = async (input, terminal) => {
  const { source, target } = insertPaths(input)
  const registry = await registryOption(input, terminal)
  await withEvents(terminal, (onEvent) =>
    insert({
      ...tagOptions(input),
      ...registry,
      ...(source === undefined ? {} : { source }),
      target,
      opaque: isSet(input, 'opaque'),
      rootless: isSet(input, 'rootless'),
      uidMap: idMaps(input, 'uid-map'),
      gidMap: idMaps(input, 'gid-map'),
      signal: terminal.signal,
      onEvent
    })
  )
}

export const runAddLayer: Run = async (input, terminal) => {
  const registry = await registryOption(input, terminal)
  await withEvents(terminal, (onEvent) =>
    addLayerArchive({
      ...tagOptions(input),
      ...registry,
      archive: input.positionals[0] ?? '',
      signal: terminal.signal,
      onEvent
    })
  )
}

function maskOptions(input: Input): { maskPaths: readonly string[]; maskVolumes: boolean } {
  return { maskPaths: texts(input, 'mask-path'), maskVolumes: !isSet(input, 'no-mask-volumes') }
}

function insertPaths(input: Input): { source: string | undefined; target: string } {
  const [first, second, ...more] = input.positionals
  const wanted = isSet(input, 'whiteout') ? 1 : 2
  if (input.positionals.length !== wanted || more.length > 0)
    throw new OciUnpackError(
      'USAGE',
      'insert takes SOURCE and TARGET, or only TARGET with --whiteout.'
    )
  return wanted === 1 ? { source: undefined, target: first! } : { source: first, target: second! }
}
