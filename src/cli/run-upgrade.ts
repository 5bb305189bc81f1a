/** Runs `bundle upgrade`. */
import { upgradeBundle, type EngineEvent, type KeptChange, type MergeConflict } from '../index.ts'
import { isSet, texts, type Run } from './command.ts'
import { formatConflict, formatKept } from './format-merge.ts'
import { hooks } from './hook-values.ts'
import { imageOptions } from './image-options.ts'
import { withEvents } from './progress/show.ts'
import { registryOption } from './registry-values.ts'

/** A plan is printed whole; of what is done, only the conflicts. They are printed even if nothing is made. */
export const runBundleUpgrade: Run = async (input, terminal) => {
  const [bundle = '', destination = ''] = input.positionals
  const dryRun = isSet(input, 'dry-run')
  const json = isSet(input, 'json')
  const registry = await registryOption(input, terminal)
  await withEvents(terminal, async (onEvent, clear) => {
    const print = (kept: readonly KeptChange[], conflicts: readonly MergeConflict[]): void => {
      clear()
      for (const change of kept) terminal.out(formatKept(change, json, terminal.paint))
      for (const conflict of conflicts) terminal.out(formatConflict(conflict, json, terminal.paint))
    }
    const watch = (event: EngineEvent): void => {
      onEvent(event)
      if (event.type === 'merge') print(dryRun || json ? event.kept : [], event.conflicts)
    }
    await upgradeBundle({
      ...imageOptions(input, terminal, watch),
      ...registry,
      ...hooks(input),
      bundle,
      destination,
      conflicts: texts(input, 'conflicts'),
      only: texts(input, 'only'),
      dryRun
    })
  })
}
