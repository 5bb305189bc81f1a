/** Several layers, staged in any order: a layer skips files that those staged before it seem to replace. */
import { mkdirSync } from 'node:fs'
import type { LayerStack } from '../../src/plan/layer-stack.ts'
import { maskMemory } from '../../src/plan/masked-paths.ts'
import { joinPath } from '../../src/plan/names.ts'
import { neededFiles, supply } from '../../src/plan/skipped-files.ts'
import { STAGED_NOWHERE, type StagedEntry } from '../../src/plan/staged-entry.ts'
import type { Member } from './serial.ts'
import { stageLayer } from './staged-layer.ts'

type Layers = readonly (readonly Member[])[]

/** How many files were skipped, and how many of them had to be read again. */
export interface SkipCounts {
  skipped: number
  again: number
}

/**
 * Folds all layers into the stack.
 * @param workspace the directory that the plan's paths are relative to
 * @param inside where in it to stage
 * @param order in which they are staged
 */
export function stageStack(
  stack: LayerStack,
  { workspace, inside }: { workspace: string; inside: string },
  layers: Layers,
  order: readonly number[]
): SkipCounts {
  const nameOf = (layer: number, suffix = ''): string => joinPath(inside, `${layer}${suffix}`)
  const staged = stageInOrder(layers, order, (layer) => made(workspace, nameOf(layer)))
  for (const [layer, entries] of staged.entries()) {
    const folder = stack.layer(layer, nameOf(layer))
    for (const entry of entries) folder.add(entry)
  }
  const again = stageAgain(stack, layers, workspace, (layer) => nameOf(layer, '-again'))
  return { skipped: staged.flat().filter(({ body }) => body !== undefined).length, again }
}

function stageInOrder(
  layers: Layers,
  order: readonly number[],
  directoryOf: (layer: number) => string
): readonly StagedEntry[][] {
  const memory = maskMemory(0)
  const staged: StagedEntry[][] = []
  for (const layer of order) {
    const skips = { kind: 'masked', memory, layer } as const
    staged[layer] = stageLayer(directoryOf(layer), layers[layer]!, 'none', skips)
  }
  return staged
}

function stageAgain(
  stack: LayerStack,
  layers: Layers,
  workspace: string,
  nameOf: (layer: number) => string
): number {
  let count = 0
  for (const [layer, files] of neededFiles(stack.root)) {
    const skips = { kind: 'all-but', bodies: new Set(files.keys()) } as const
    const directory = made(workspace, nameOf(layer))
    for (const entry of stageLayer(directory, layers[layer]!, 'none', skips))
      if (entry.staged !== STAGED_NOWHERE)
        supply(stack, files.get(entry.body!)!, entry, nameOf(layer))
    count += files.size
  }
  return count
}

function made(workspace: string, name: string): string {
  const directory = `${workspace}/${name}`
  mkdirSync(directory)
  return directory
}
