/** Hook functions that are the default export of a JavaScript module. */
import { pathToFileURL } from 'node:url'
import { OciUnpackError } from '../errors.ts'
import type { UnpackHooks } from './unpack-hooks.ts'

/** Whether a path names a module, and not a hooks.toml. */
export function isModule(file: string): boolean {
  return /\.[cm]?js$/.test(file)
}

/** Runs the module. @param file absolute path @throws HOOKS_INVALID */
export async function importHooks(file: string): Promise<UnpackHooks> {
  const { default: hooks } = (await load(file)) as { default?: UnpackHooks }
  if (typeof hooks === 'object') return hooks
  throw new OciUnpackError('HOOKS_INVALID', 'The module has no hook functions.', {
    facts: { file },
    hint: 'Its default export must be an object of functions.'
  })
}

async function load(file: string): Promise<unknown> {
  try {
    return (await import(pathToFileURL(file).href)) as unknown
  } catch (cause) {
    throw new OciUnpackError('HOOKS_INVALID', 'The module with the hooks cannot be loaded.', {
      facts: { file, reason: cause instanceof Error ? cause.message : String(cause) },
      cause
    })
  }
}
