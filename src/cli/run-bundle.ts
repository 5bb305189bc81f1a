/** Runs the commands for bundles. */
import {
  deleteBundle,
  listBundles,
  mountBundle,
  pruneBundles,
  saveBundle,
  selectBundle,
  umountBundle,
  type DeleteBundleOptions
} from '../index.ts'
import { isSet, text, type Run } from './command.ts'
import { jobsOption, required, wholeNumber } from './flag-values.ts'
import { bundleJson, formatBundles, formatPruned, prunedJson } from './format-bundles.ts'
import { hooks } from './hook-values.ts'
import { withEvents } from './progress/show.ts'

export const runBundleMount: Run = forBundle(mountBundle)
export const runBundleUmount: Run = forBundle(umountBundle)
export const runBundleDelete: Run = forBundle(deleteBundle)

function forBundle(act: (options: DeleteBundleOptions) => Promise<void>): Run {
  return async (input, terminal) => {
    const bundle = input.positionals[0] ?? ''
    await withEvents(terminal, (onEvent) =>
      act({ bundle, ...hooks(input), signal: terminal.signal, onEvent })
    )
  }
}

export const runBundleSave: Run = async (input, terminal) => {
  const [bundle = '', archive = ''] = input.positionals
  await withEvents(terminal, (onEvent) =>
    saveBundle({ bundle, archive, ...jobsOption(input), signal: terminal.signal, onEvent })
  )
}

export const runBundleList: Run = async (input, terminal) => {
  const bundles = await withEvents(terminal, (onEvent) =>
    listBundles({
      directory: input.positionals[0] ?? '',
      ...hooks(input),
      ...jobsOption(input),
      signal: terminal.signal,
      onEvent
    })
  )
  if (isSet(input, 'json')) for (const bundle of bundles) terminal.out(bundleJson(bundle))
  else terminal.out(formatBundles(bundles))
}

export const runBundleSelect: Run = async (input, terminal) => {
  const link = text(input, 'link')
  await withEvents(terminal, (onEvent) =>
    selectBundle({
      bundle: input.positionals[0] ?? '',
      ...(link === undefined ? {} : { link }),
      ...hooks(input),
      signal: terminal.signal,
      onEvent
    })
  )
}

/** 1 if a bundle could not be judged or removed. */
export const runBundlePrune: Run = async (input, terminal) => {
  required(input, 'keep')
  const dryRun = isSet(input, 'dry-run')
  const pruned = await withEvents(terminal, (onEvent) =>
    pruneBundles({
      directory: input.positionals[0] ?? '',
      keep: wholeNumber(input, 'keep', 1)!,
      force: isSet(input, 'force'),
      dryRun,
      ...hooks(input),
      ...jobsOption(input),
      signal: terminal.signal,
      onEvent
    })
  )
  if (isSet(input, 'json')) for (const bundle of pruned) terminal.out(prunedJson(bundle))
  else terminal.out(formatPruned(pruned, dryRun))
  return pruned.some(({ kept }) => kept === 'failed') ? 1 : 0
}
