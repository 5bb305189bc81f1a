/** What a set of hooks must contain, whether it is written in TOML or made of functions. */
import type { WhiteoutForm } from '../plan/whiteout-form.ts'
import type { ExtractMode } from './calls.ts'
import { hookName, type HookPoint } from './points.ts'

interface Choice {
  readonly extract: ExtractMode
  readonly whiteouts: WhiteoutForm | undefined
  readonly rootless: boolean
  readonly points: ReadonlySet<HookPoint>
}

/** Required if hooks store the layers: these points make, find and join layers. */
const LAYERS: readonly HookPoint[] = ['try-skip', 'pre-extract', 'post-extract', 'finish']

const NEEDED: Readonly<Record<ExtractMode, readonly HookPoint[]>> = {
  rootfs: [],
  layer: LAYERS,
  chain: LAYERS,
  image: ['merge', ...LAYERS]
}

/** What is wrong with the choice, and the key that is to blame; undefined if nothing is. */
export function brokenRule({
  extract,
  whiteouts,
  rootless,
  points
}: Choice): { key: 'extract' | 'whiteouts' | 'rootless'; reason: string } | undefined {
  if (whiteouts !== undefined && extract !== 'layer')
    return { key: 'whiteouts', reason: 'whiteouts can only be set with extract = "layer"' }
  if (rootless && extract === 'image')
    return { key: 'rootless', reason: 'only root can mount images, so rootless cannot be true' }
  if (points.has('merge') && extract !== 'image')
    return { key: 'extract', reason: `${hookName('merge')} needs extract = "image"` }
  const missing = NEEDED[extract].filter((point) => !points.has(point)).map(hookName)
  if (missing.length === 0) return undefined
  return { key: 'extract', reason: `extract = "${extract}" also needs ${missing.join(', ')}` }
}

/** The form of whiteouts if none is chosen. */
export function defaultWhiteouts(extract: ExtractMode): WhiteoutForm | undefined {
  return extract === 'layer' ? 'overlay' : undefined
}
