/** Runs the commands for bundles. */
import {
  deleteBundle,
  mountBundle,
  saveBundle,
  umountBundle,
  type DeleteBundleOptions
} from '../index.ts'
import type { Run } from './command.ts'
import { jobsOption } from './flag-values.ts'
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
