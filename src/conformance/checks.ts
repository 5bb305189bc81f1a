/** What cases check after an unpack. */
import { existsSync } from 'node:fs'
import { display, fromText } from '../bytes.ts'
import type { PreparedLayer } from '../hooks/calls.ts'
import { hookName } from '../hooks/points.ts'
import type { TraceRecord } from '../hooks/trace.ts'
import { mountsBelow } from '../sys/mounts.ts'
import type { Image, Unpacked } from './bench.ts'
import { callsOf, describeCall, layersOf } from './calls.ts'
import { Broken } from './report.ts'
import { differences, readTree, type Sides, type Tree } from './tree.ts'

/** @param when in which situation */
export function checkTree(rootfs: string, { tree, held }: Image, when: string): void {
  const what = `${when}, ${rootfs} is not what the engine makes without hooks`
  checkSame(tree, readTree(rootfs, held), what, { expected: 'the image', found: rootfs })
}

export function checkSame(expected: Tree, found: Tree, what: string, sides: Sides): void {
  const lines = differences(expected, found, sides)
  if (lines.length > 0) throw new Broken({ seen: `${what}:\n${lines.join('\n')}` })
}

/** Nothing of a bundle is left or mounted. */
export function checkGone(bundle: string): void {
  const mounts = mountsBelow(fromText(bundle))
  if (mounts.length > 0)
    throw new Broken({ seen: `Still mounted: ${mounts.map(display).join(', ')}` })
  if (existsSync(bundle)) throw new Broken({ seen: `${bundle} is still there.` })
}

/** All layers of a new image have to be extracted, because no storage can have them yet. */
export function checkNothingSkipped({ layers }: Image, calls: readonly TraceRecord[]): void {
  const skips = calls.filter(isSkip)
  if (skips.length === 0) return
  throw new Broken({
    asked: skips.map(describeCall).join('\n'),
    contract:
      'try-skip says yes only to a layer that post-extract has committed under this key; otherwise it exits with status 10. ' +
      'prepare answers "skip" by the same rule.',
    seen: `The image is new, so no storage can have any of its ${layers} layers.`
  })
}

function isSkip({ hook, outcome }: TraceRecord): boolean {
  if (outcome.status !== 'yes') return false
  if (hook === hookName('try-skip')) return true
  const answers = hook === hookName('prepare') ? outcome.answer.layers : undefined
  return Object.values(answers ?? {}).some(({ status }: PreparedLayer) => status === 'skip')
}

/** Exactly these layers were extracted. Where hooks keep images, others may be read for their names. */
export function checkExtracted({ calls, read }: Unpacked, layers: readonly number[]): void {
  const asked = layersOf(calls, 'pre-extract')
  const keepsImages = callsOf(calls, 'merge').length > 0 && layers.length > 0
  const found = keepsImages ? asked : [...read].sort((a, b) => a - b)
  if (same(found, layers) && (asked.length === 0 || same(asked, layers))) return
  throw new Broken({
    asked: callsOf(calls, 'try-skip').map(describeCall).join('\n'),
    seen: `Layers ${list(found)} were extracted, but ${list(layers)} should have been (counted from 0).`
  })
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((each, index) => each === b[index])
}

function list(layers: readonly number[]): string {
  return layers.length === 0 ? 'none' : layers.join(', ')
}
