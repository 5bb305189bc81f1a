import * as fc from 'fast-check'
import { mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { joinLayerDirectory, readLayer } from '../../src/engine/join-layer-directory.ts'
import { layerStaging, layerTrash } from '../../src/engine/ground.ts'
import { openLayerGround } from '../../src/engine/layer-ground.ts'
import { LayeredStack } from '../../src/plan/layered-stack.ts'
import { overlayNamespace, type WhiteoutForm } from '../../src/plan/whiteout-form.ts'
import { close } from '../../src/sys/files.ts'
import type { Xattr } from '../../src/tar/entry.ts'
import { layerStack } from '../reference/random-layers.ts'
import { applySerially, type Member } from '../reference/serial.ts'
import { snapshot } from '../reference/snapshot.ts'
import { outcome, stageLayer, UNDESCRIBED } from '../reference/staged-layer.ts'
import { withScratch } from '../support/open-directory.ts'
import { withOverlay } from '../support/overlay.ts'
import { needs } from '../support/requires.ts'

const runs = Number(process.env['OCI_UNPACK_PROPERTY_RUNS'] ?? 300) / 3

interface Mode {
  form: WhiteoutForm
  keepDirlinks: boolean
}

const modes: Mode[] = (['overlay', 'overlay-userxattr'] as const).flatMap((form) =>
  [false, true].map((keepDirlinks) => ({ form, keepDirlinks }))
)

test.runIf(needs('root', 'overlay', 'mount')).each(modes)(
  'a directory for each layer, stacked by the kernel, shows what layers applied in order make ($form, keepDirlinks $keepDirlinks)',
  (mode) => {
    const seed = Number(process.env['OCI_UNPACK_SEED'] ?? Date.now() % 1_000_000)
    console.log(`layer directories: ${runs} runs, seed ${seed}`)
    fc.assert(
      fc.property(layerStack, fc.nat(), (layers, lot) =>
        withScratch((_, scratch) => compare(scratch, withHostileXattrs(layers), mode, lot))
      ),
      { seed, numRuns: runs }
    )
  }
)

function compare(scratch: string, layers: Member[][], mode: Mode, lot: number): void {
  const serial = outcome(() => {
    applySerially(`${scratch}/serial`, layers, mode.keepDirlinks)
    return snapshot(`${scratch}/serial`)
  })
  const cold = (): string => shown(scratch, directories(scratch, 'cold', layers, mode, []), mode)
  expect(outcome(cold)).toBe(serial)
  if (serial === 'rejected') return
  const there = layers
    .slice(0, lot % (layers.length + 1))
    .map((_, index) => `${scratch}/cold/${index}`)
  expect(shown(scratch, directories(scratch, 'warm', layers, mode, there), mode)).toBe(serial)
}

function shown(scratch: string, layers: readonly string[], { form }: Mode): string {
  return withOverlay(`${scratch}/merged`, layers, form, snapshot)
}

/** A directory for each layer; `there` are those of the lowest layers that exist already. */
function directories(
  scratch: string,
  name: string,
  layers: Member[][],
  { form, keepDirlinks }: Mode,
  there: readonly string[]
): string[] {
  const stack = new LayeredStack({ keepDirlinks, form })
  const paths = [...there]
  mkdirSync(`${scratch}/${name}`)
  layers.forEach((layer, index) => {
    const known = there[index]
    if (known !== undefined) readLayer(stack, index, known, form)
    else {
      const path = `${scratch}/${name}/${index}`
      paths.push(path)
      mkdirSync(path)
      extract(stack, path, layer, index, form, paths)
    }
  })
  return paths
}

function extract(
  stack: LayeredStack,
  path: string,
  layer: Member[],
  index: number,
  form: WhiteoutForm,
  paths: readonly string[]
): void {
  const ground = openLayerGround(path, index)
  const staging = layerStaging(ground, index)
  try {
    const planner = stack.layer(index, { staging, trash: layerTrash(ground) })
    for (const entry of stageLayer(`${path}/${staging}`, layer, overlayNamespace(form)))
      planner.add(entry)
    joinLayerDirectory(ground, planner.finish(), {
      form,
      directoryOf: (lower) => paths[lower]!,
      undescribed: UNDESCRIBED,
      onEvent: () => undefined
    })
  } finally {
    close(ground.fd)
  }
}

/** Attributes with which an image could make itself an opaque directory, a whiteout or a redirect. */
function withHostileXattrs(layers: Member[][]): Member[][] {
  for (const { entry } of layers.flat()) {
    const more: Xattr[] = []
    if (entry.mode % 5 === 0) more.push(['trusted.overlay.opaque', 'y'])
    if (entry.mode % 7 === 0) more.push(['trusted.overlay.overlay.redirect', '/a'])
    if (entry.type === 'file' && entry.mode % 3 === 0) more.push(['user.overlay.whiteout', 'y'])
    entry.xattrs = [...entry.xattrs, ...more]
  }
  return layers
}
