/**
 * The points at which hooks are asked. The key is the name of a point in this program, `name` the one in a hooks.toml.
 */
export const HOOK_POINTS = {
  prepare: { name: 'unpack.ociv1.prepare', member: 'prepare' },
  'try-skip': { name: 'unpack.ociv1.layer.try-skip', member: 'trySkip' },
  merge: { name: 'unpack.ociv1.merge', member: 'merge' },
  'pre-extract': { name: 'unpack.ociv1.layer.pre-extract', member: 'preExtract' },
  'post-extract': { name: 'unpack.ociv1.layer.post-extract', member: 'postExtract' },
  finish: { name: 'unpack.ociv1.finish', member: 'finish' },
  abort: { name: 'unpack.ociv1.abort', member: 'abort' },
  'runtime-config': { name: 'bundle.runtime-config', member: 'runtimeConfig' },
  'delta-list': { name: 'repack.ociv1.layer.delta-list', member: 'deltaList' },
  'refresh-bundle': { name: 'repack.ociv1.layer.refresh-bundle', member: 'refreshBundle' },
  upgraded: { name: 'bundle.upgraded', member: 'upgraded' },
  selected: { name: 'bundle.selected', member: 'selected' },
  mount: { name: 'bundle.mount', member: 'mount' },
  umount: { name: 'bundle.umount', member: 'umount' },
  delete: { name: 'bundle.delete', member: 'delete' },
  gc: { name: 'store.gc', member: 'gc' },
  check: { name: 'store.check', member: 'check' }
} as const

export type HookPoint = keyof typeof HOOK_POINTS

/** The name of a point's function, such as `trySkip`. */
export type HookMember = (typeof HOOK_POINTS)[HookPoint]['member']

/** All points, in the order in which they are asked. */
export const ALL_POINTS: readonly HookPoint[] = Object.keys(HOOK_POINTS) as HookPoint[]

/** The name of a point's table in a hooks.toml. */
export function hookName(point: HookPoint): string {
  return HOOK_POINTS[point].name
}
