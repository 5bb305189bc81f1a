/** The hooks under test, opened again for every run, as separate processes would. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { OciUnpackError } from '../errors.ts'
import type { HookSet } from '../hooks/calls.ts'
import { functionHooks } from '../hooks/function-hooks.ts'
import { loadHooks } from '../hooks/load.ts'
import { findHooksFile } from '../hooks/lookup.ts'
import type { UnpackHooks } from '../hooks/unpack-hooks.ts'

/** The absolute path for `openHooks`. @throws HOOKS_INVALID if no file is named and none is found */
export function locateHooks(file: string | undefined): string {
  if (file !== undefined) return resolve(file)
  const found = findHooksFile({})
  if (found !== undefined) return found.path
  throw new OciUnpackError('HOOKS_INVALID', 'There are no hooks to test.', {
    hint: 'Name a hooks.toml, or a module that exports hook functions.'
  })
}

/** @param file a hooks.toml, or a JavaScript module whose default export is hook functions */
export async function openHooks(file: string): Promise<HookSet> {
  if (!/\.[cm]?js$/.test(file)) return loadHooks({ file })!
  const { default: hooks } = (await import(pathToFileURL(file).href)) as { default?: UnpackHooks }
  if (typeof hooks === 'object') return functionHooks(hooks)
  throw new OciUnpackError('HOOKS_INVALID', 'The module has no hook functions.', {
    facts: { file },
    hint: 'Its default export must be an object of functions.'
  })
}
