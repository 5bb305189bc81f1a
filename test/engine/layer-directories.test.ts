import * as fc from 'fast-check'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { joinLayerDirectory, readLayer } from '../../src/engine/extract/join-layer-directory.ts'
import { layerStaging, layerTrash } from '../../src/engine/extract/plan-root.ts'
import { openLayerDirectory } from '../../src/engine/extract/layer-directory.ts'
import { LayeredStack } from '../../src/plan/layered-stack.ts'
import type { WhiteoutForm } from '../../src/plan/whiteout-form.ts'
import { close } from '../../src/sys/files.ts'
import type { Xattr } from '../../src/tar/entry.ts'
import { layerStack } from '../reference/random-layers.ts'
import { applySerially, type Member } from '../reference/serial.ts'
import { snapshot } from '../reference/snapshot.ts'
import { outcome, stageLayer } from '../reference/staged-layer.ts'
import { entry } from '../support/archive.ts'
import { failure } from '../support/failure.ts'
import { withScratch } from '../support/open-directory.ts'
import { asOverlay, withOverlay } from '../support/overlay.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'

const runs = Number(process.env['OCI_UNPACK_PROPERTY_RUNS'] ?? 100) / 10

interface Mode {
  form: WhiteoutForm
  keepDirlinks: boolean
}

const modes: Mode[] = [
  { form: 'overlay', keepDirlinks: false },
  { form: 'overlay', keepDirlinks: true },
  { form: 'overlay-userxattr', keepDirlinks: false },
  { form: 'none', keepDirlinks: true }
]

test.runIf(needs('root', 'overlay', 'mount')).each(modes)(
  'a directory for each layer, stacked, shows what layers applied in order make ($form, keepDirlinks $keepDirlinks)',
  (mode) => {
    const seed = Number(process.env['OCI_UNPACK_SEED'] ?? Date.now() % 1_000_000)
    console.log(`layer directories: ${runs} runs, seed ${seed}`)
    fc.assert(
      fc.property(layerStack, fc.nat(), (layers, lot) =>
        withScratch((_, scratch) =>
          compare(scratch, mode.form === 'none' ? layers : withHostileXattrs(layers), mode, lot)
        )
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
  const forKernel = form === 'none' ? asOverlay(scratch, layers) : layers
  return withOverlay(`${scratch}/merged`, forKernel, form, snapshot)
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
  const planRoot = openLayerDirectory(path, index)
  const staging = layerStaging(planRoot, index)
  try {
    const planner = stack.layer(index, { staging, trash: layerTrash(planRoot) })
    for (const entry of stageLayer(`${path}/${staging}`, layer, form)) planner.add(entry)
    joinLayerDirectory(planRoot, planner.finish(), {
      form,
      directoryOf: (lower) => paths[lower]!,
      policy: { kind: 'exact', uidMap: [], gidMap: [] },
      onEvent: () => undefined
    })
  } finally {
    close(planRoot.fd)
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

test.runIf(needs('root'))('a directory that is not empty is refused, and left alone', () => {
  withScratch((_, path) => {
    writeFileSync(`${path}/a`, 'mine')
    expect(failure(() => openLayerDirectory(path, 0))).toMatchObject({ code: 'TARGET_INVALID' })
    expect(readdirSync(path)).toEqual(['a'])
  })
})

test.runIf(needs('root', 'setfacl'))('a layer takes nothing from the place that it lies in', () => {
  withScratch((_, scratch) => {
    const entries = [
      entry({ type: 'directory', name: 'd', mode: 0o755 }),
      entry({ name: 'd/file' }),
      entry({ name: 'made/file' }),
      entry({ type: 'symlink', name: 'link', link: 'd' }),
      entry({ name: 'link/file' })
    ]
    const layer = entries.map((each) => ({ entry: each, body: Buffer.alloc(0) }))
    const mode: Mode = { form: 'overlay', keepDirlinks: false }
    const [plain] = directories(scratch, 'plain', [layer], mode, [])
    mkdirSync(`${scratch}/odd`)
    ok('setfacl', '-d', '-m', 'u:7:rwx', `${scratch}/odd`)
    ok('chmod', 'g+s', `${scratch}/odd`)
    ok('chgrp', '9', `${scratch}/odd`)
    const [odd] = directories(`${scratch}/odd`, 'inner', [layer], mode, [])
    expect(snapshot(odd!)).toBe(snapshot(plain!))
  })
})
