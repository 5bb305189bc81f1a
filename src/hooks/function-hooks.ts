/** Turns the object with functions that a user of the library gives into a set that the engine can ask. */
import type { HookSet } from './calls.ts'
import { functionHook } from './function-hook.ts'
import { hookSet, type OnBusy } from './hook-set.ts'
import { hooksInvalid } from './invalid.ts'
import { nearest } from './nearest.ts'
import { Owner } from './owner.ts'
import { ALL_POINTS, HOOK_POINTS } from './points.ts'
import { brokenRule, defaultWhiteouts } from './rules.ts'
import type { UnpackHooks } from './unpack-hooks.ts'

export const DEFAULT_TIMEOUT_MS = 60_000

/** @throws HOOKS_INVALID for an unknown member, or a choice that lacks functions */
export function functionHooks(hooks: UnpackHooks, onBusy?: OnBusy): HookSet {
  checkMembers(hooks)
  const { extract = 'rootfs', rootless = false, timeout = DEFAULT_TIMEOUT_MS } = hooks
  const points = ALL_POINTS.filter((point) => hooks[HOOK_POINTS[point].member] !== undefined)
  const { whiteouts } = hooks
  const broken = brokenRule({ extract, whiteouts, rootless, points: new Set(points) })
  if (broken !== undefined) throw hooksInvalid(undefined, broken.reason)
  const owner = new Owner()
  const kind = functionHook(hooks, owner)
  return hookSet(
    {
      name: hooks.name ?? 'functions',
      extract,
      whiteouts: whiteouts ?? defaultWhiteouts(extract),
      manifest: hooks.manifest ?? 'auto',
      precision: hooks.precision ?? 'nanoseconds',
      xattrs: hooks.xattrs,
      rootless,
      deltaFallback: undefined
    },
    new Map(points.map((point) => [point, { kind, timeout }])),
    owner,
    onBusy
  )
}

const SETTINGS = [
  ...['name', 'extract', 'whiteouts', 'rootless', 'manifest', 'precision', 'xattrs', 'timeout']
]
const MEMBERS = [...SETTINGS, ...ALL_POINTS.map((point) => HOOK_POINTS[point].member)]

/** An unknown member of a plain object is likely a typing error. Objects of a class may have members of their own. */
function checkMembers(hooks: UnpackHooks): void {
  if (Object.getPrototypeOf(hooks) !== Object.prototype) return
  const unknown = Object.keys(hooks).find((member) => !MEMBERS.includes(member))
  if (unknown === undefined) return
  const word = nearest(unknown, MEMBERS)
  throw hooksInvalid(undefined, `"${unknown}" is unknown`, {
    hint: word === undefined ? undefined : `Did you mean "${word}"?`
  })
}
