/** Describes what would run at which point, before it runs, and how layers would be stored. */
import { resolve } from 'node:path'
import { DEFAULT_TIMEOUT_MS, functionHooks } from '../hooks/function-hooks.ts'
import type { HookSettings } from '../hooks/hook-set.ts'
import { importHooks, isModule } from '../hooks/import-module.ts'
import { checkHooks } from '../hooks/load.ts'
import { ALL_POINTS, HOOK_POINTS, hookName, type HookPoint } from '../hooks/points.ts'
import { openHooks } from './source.ts'

export interface HooksDescription {
  /** Absolute path of the hooks.toml or module. */
  file: string
  name: string
  extract: 'rootfs' | 'layer' | 'chain' | 'image'
  /** Only if `extract` is `layer`. */
  whiteouts?: 'overlay' | 'overlay-userxattr' | 'none'
  manifest: 'auto' | 'never'
  /** Of times. */
  precision: 'nanoseconds' | 'seconds'
  /** The namespaces of extended attributes that the storage can hold; undefined for all. */
  xattrs?: readonly string[]
  /** Whether it keeps layers of rootless unpacks apart from others. */
  rootless: boolean
  /** How layers would be stored, as the set itself says it. */
  storage?: string
  /** What the file adds to the environment of each program. */
  env: Readonly<Record<string, string>>
  /** All points, in the order in which they are called. */
  points: readonly HookPointDescription[]
}

export interface HookPointDescription {
  point: string
  /** Undefined if there is no hook. */
  hook?: {
    /** The absolute path of the program and its arguments; for a function, its name. */
    command: readonly string[]
    /** Milliseconds. */
    timeout: number
    mode: 'exec' | 'session' | 'function'
    /** What to do when it fails; only for delta-list. */
    fallback?: 'mtree'
  }
}

/**
 * Reads and checks a hooks.toml; without a path, the one that an unpack would find, or undefined if there is none. A
 * path that ends in `.js`, `.mjs` or `.cjs` is a module whose default export is hook functions: it is loaded. Of the
 * programs and functions only `store.check` is called, to learn how layers would be stored.
 * @throws HOOKS_INVALID, HOOKS_UNSAFE; HOOK_FAILED, HOOK_TIMEOUT, HOOK_ANSWER_INVALID, ABORTED: of `store.check`
 */
export async function describeHooks(
  file?: string,
  signal?: AbortSignal
): Promise<HooksDescription | undefined> {
  const description =
    file !== undefined && isModule(file) ? await describeModule(resolve(file)) : describeFile(file)
  if (description === undefined || !hasHook(description, 'check')) return description
  return { ...description, ...(await askStorage(description.file, signal)) }
}

function hasHook({ points }: HooksDescription, point: HookPoint): boolean {
  return points.some(({ point: name, hook }) => name === hookName(point) && hook !== undefined)
}

async function askStorage(file: string, signal?: AbortSignal): Promise<{ storage?: string }> {
  const set = await openHooks(file)
  try {
    const outcome = await set.call('check', {}, signal)
    return outcome.status === 'yes' ? outcome.answer : {}
  } finally {
    await set.close()
  }
}

async function describeModule(file: string): Promise<HooksDescription> {
  const hooks = await importHooks(file)
  const set = functionHooks(hooks)
  const { points } = set
  return {
    file,
    ...describeSettings(set),
    env: {},
    points: ALL_POINTS.map((point): HookPointDescription => {
      if (!points.has(point)) return { point: hookName(point) }
      const { timeout = DEFAULT_TIMEOUT_MS } = hooks
      const { member } = HOOK_POINTS[point]
      return { point: hookName(point), hook: { command: [member], timeout, mode: 'function' } }
    })
  }
}

function describeFile(file: string | undefined): HooksDescription | undefined {
  const definition = checkHooks({ file })
  if (definition === undefined) return undefined
  const { deltaFallback } = definition.settings
  const points = ALL_POINTS.map((point): HookPointDescription => {
    const found = definition.hooks.find((hook) => hook.point === point)
    if (found === undefined) return { point: hookName(point) }
    const { command, timeout, mode } = found
    const fallback =
      point === 'delta-list' && deltaFallback !== undefined ? { fallback: deltaFallback } : {}
    return { point: hookName(point), hook: { command, timeout, mode, ...fallback } }
  })
  return {
    file: definition.file,
    ...describeSettings(definition.settings),
    env: definition.env,
    points
  }
}

function describeSettings({
  name,
  extract,
  whiteouts,
  manifest,
  precision,
  xattrs,
  rootless
}: HookSettings): Omit<HooksDescription, 'file' | 'env' | 'points'> {
  return {
    name,
    extract,
    ...(whiteouts === undefined ? {} : { whiteouts }),
    manifest,
    precision,
    rootless,
    ...(xattrs === undefined ? {} : { xattrs })
  }
}
