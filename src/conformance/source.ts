/** The hooks under test, opened again for every run, as separate processes would. */
import { resolve } from 'node:path'
import { OciUnpackError } from '../errors.ts'
import type { HookSet } from '../hooks/calls.ts'
import { functionHooks } from '../hooks/function-hooks.ts'
import { importHooks, isModule } from '../hooks/import-module.ts'
import { loadHooks } from '../hooks/load.ts'
import { findHooksFile } from '../hooks/lookup.ts'

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
  return isModule(file) ? functionHooks(await importHooks(file)) : loadHooks({ file })!
}
