/** Compares the directories of committed layers with those that the engine makes. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { unpack } from '../../engine/unpack.ts'
import type { UnpackHooks } from '../../hooks/unpack-hooks.ts'
import type { Bench, Unpacked } from '../bench.ts'
import { callsOf } from '../calls.ts'
import { Broken } from '../report.ts'
import { differences, readTree } from '../tree.ts'

/**
 * With `layer`, the directory must equal the layer. A state of `chain` is judged by the bundle that is made from it.
 */
export async function checkCommitted(bench: Bench, { calls, image }: Unpacked): Promise<void> {
  if (bench.set.extract !== 'layer') return
  const own = bench.newPath('layers')
  await unpack({
    image: image.reference,
    destination: bench.newPath('reference'),
    hooks: plainLayers(own, bench.set.whiteouts!),
    jobs: 0
  })
  const finish = callsOf(calls, 'finish').at(-1)!
  const layers = finish.context.layers as readonly { index: number; target: string }[]
  for (const { index, target } of layers) {
    const lines = differences(
      readTree(join(own, String(index)), bench.set),
      readTree(target, bench.set),
      {
        expected: 'the layer',
        found: target
      }
    )
    if (lines.length > 0)
      throw new Broken({
        seen: `The committed directory of layer ${index}, ${target}, is not the layer:\n${lines.join('\n')}`
      })
  }
}

/** The simplest hooks: each layer goes into a directory named by its number, and the bundle does not matter. */
function plainLayers(
  directory: string,
  whiteouts: NonNullable<UnpackHooks['whiteouts']>
): UnpackHooks {
  mkdirSync(directory)
  return {
    name: `conformance-${String(process.pid)}`,
    extract: 'layer',
    whiteouts,
    manifest: 'never',
    trySkip: () => 'decline',
    preExtract({ index }) {
      const target = join(directory, String(index))
      mkdirSync(target, { mode: 0o700 })
      return { target }
    },
    postExtract: () => undefined,
    finish({ rootfs }) {
      mkdirSync(rootfs)
      return undefined
    }
  }
}
