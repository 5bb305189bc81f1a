/** Layers are folded strictly in order, and one that fails is never taken for a whole one. */
import { expect, test } from 'vitest'
import { OrderedLayers } from '../../../src/engine/extract/ordered-layers.ts'
import { NO_METADATA } from '../../../src/plan/no-metadata.ts'
import { STAGED_NOWHERE } from '../../../src/plan/staged-entry.ts'
import { EntryEncoder } from '../../../src/worker/entry-codec.ts'

function batch(path: string): Uint8Array {
  const encoder = new EntryEncoder()
  encoder.add({ ...NO_METADATA, type: 'file', path, staged: STAGED_NOWHERE })
  return encoder.take()
}

/** Layers a and b; what happens to them, in order. `bad` cannot be added. */
function layers(): { turns: OrderedLayers; seen: string[] } {
  const seen: string[] = []
  const turns = new OrderedLayers(['a', 'b'], (layer) => ({
    add({ path }) {
      if (path === 'bad') throw new Error('it is bad')
      seen.push(`${layer} ${path}`)
    },
    end: () => seen.push(`${layer} ends`)
  }))
  return { turns, seen }
}

test('what comes early waits for the layers below', () => {
  const { turns, seen } = layers()
  turns.add(1, batch('early'))
  turns.complete(1)
  expect(seen).toEqual([])
  turns.add(0, batch('late'))
  turns.complete(0)
  expect(seen).toEqual(['0 late', '0 ends', '1 early', '1 ends'])
})

test('a layer that fails while the one below is completed is not ended when its own staging is', () => {
  const { turns, seen } = layers()
  turns.add(1, batch('bad'))
  turns.add(1, batch('rest'))
  expect(() => turns.complete(0)).toThrow('it is bad')
  turns.add(1, batch('more'))
  turns.complete(1)
  expect(seen).toEqual(['0 ends'])
})
