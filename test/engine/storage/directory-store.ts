/** A store of plain directories as function hooks: chains by copying, layers side by side. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { UnpackHooks } from '../../../src/index.ts'
import { ok } from '../../support/run.ts'

export interface DirectoryStore {
  hooks: UnpackHooks
  /** Points that were asked, in order; of a layer with its index. */
  calls: string[]
  /** Paths that delta-list answers. */
  delta: string[]
  /** Targets that abort was told of. */
  aborted: string[]
  path: string
}

/** Each state is a copy of its parent; a bundle's root file system is a copy of the top. */
export function chainStore(path: string, more: Partial<UnpackHooks> = {}): DirectoryStore {
  const store: DirectoryStore = { hooks: {}, calls: [], delta: [], aborted: [], path }
  const place = (chainId: string): string => join(path, 'states', chainId.slice(7))
  let staged = 0
  const say = (point: string): void => void store.calls.push(point)
  store.hooks = {
    name: 'directories',
    extract: 'chain',
    prepare() {
      say('prepare')
      mkdirSync(join(path, 'states'), { recursive: true })
    },
    trySkip({ index, chainId }) {
      say(`try-skip ${index}`)
      return existsSync(place(chainId)) ? { target: place(chainId) } : 'decline'
    },
    preExtract({ index, parentChainId }) {
      say(`pre-extract ${index}`)
      const target = join(path, `staged-${staged++}`)
      if (parentChainId === undefined) mkdirSync(target)
      else copy(place(parentChainId), target)
      return { target }
    },
    postExtract({ index, chainId, target }) {
      say(`post-extract ${index}`)
      renameSync(target!, place(chainId))
      return { target: place(chainId) }
    },
    finish({ layers, rootfs }) {
      say('finish')
      copy(layers.at(-1)!.target!, rootfs)
    },
    abort({ targets }) {
      say('abort')
      store.aborted.push(...targets)
      for (const target of targets) rmSync(target, { recursive: true, force: true })
    },
    deltaList() {
      say('delta-list')
      return store.delta
    },
    refreshBundle({ chainId, parentChainId }) {
      say(`refresh-bundle ${chainId === parentChainId ? 'same' : 'new'}`)
    },
    ...more
  }
  return store
}

function copy(from: string, to: string): void {
  ok('cp', '-a', from, to)
}
