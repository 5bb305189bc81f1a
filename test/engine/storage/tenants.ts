/** The storages that the suite of the contract runs with: the engine's own, and hooks in each of their modes. */
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import type { UnpackHooks } from '../../../src/index.ts'
import { ok } from '../../support/run.ts'

export interface Tenant {
  name: string
  /** Whether layers outlive the bundle that they were extracted for. */
  keeps: boolean
  /** What a caller chooses to have it. @param path a directory that belongs to the storage */
  hooks: (path: string) => UnpackHooks | undefined
}

export const TENANTS: readonly Tenant[] = [
  { name: 'plain', keeps: false, hooks: () => undefined },
  { name: 'hooks, rootfs', keeps: false, hooks: observing },
  { name: 'hooks, layer', keeps: true, hooks: (path) => keeping(path, 'layer') },
  { name: 'hooks, chain', keeps: true, hooks: (path) => keeping(path, 'chain') },
  { name: 'hooks, image', keeps: true, hooks: keepingImages }
]

/** Layers that are neither committed nor gone. */
export function stagedIn(path: string): string[] {
  return existsSync(`${path}/staged`) ? readdirSync(`${path}/staged`) : []
}

/** What the hooks of a bundle are asked after it was made; `delta` in `path` lists what has changed. */
function asked(path: string): UnpackHooks {
  return {
    deltaList: () => readFileSync(`${path}/delta`, 'utf8').split('\n').filter(Boolean),
    refreshBundle: () => undefined,
    delete: () => undefined
  }
}

function observing(path: string): UnpackHooks {
  return { name: 'observing', ...asked(path) }
}

function keeping(path: string, extract: 'layer' | 'chain'): UnpackHooks {
  const place = (chainId: string): string => `${path}/layers/${chainId.slice('sha256:'.length)}`
  return {
    name: `keeping-${extract}`,
    extract,
    ...asked(path),
    prepare() {
      // what a process that died has staged is not a layer
      ok('rm', '-rf', `${path}/staged`)
      for (const name of ['staged', 'layers']) mkdirSync(`${path}/${name}`, { recursive: true })
    },
    trySkip({ chainId }) {
      return existsSync(place(chainId)) ? { target: place(chainId) } : 'decline'
    },
    preExtract({ parentChainId }) {
      const target = mkdtempSync(`${path}/staged/`)
      if (extract === 'chain' && parentChainId !== undefined)
        ok('cp', '-aT', place(parentChainId), target)
      return { target }
    },
    postExtract({ chainId, target }) {
      renameSync(target!, place(chainId))
      return { target: place(chainId) }
    },
    finish({ layers, rootfs }) {
      const targets = layers.map(({ target }) => target!)
      if (extract === 'chain') ok('cp', '-aT', targets.at(-1)!, rootfs)
      else copyStacked(targets, rootfs, `${path}/stacked`)
    },
    abort({ targets }) {
      for (const target of targets) ok('rm', '-rf', target)
    },
    gc({ liveKeys }) {
      const live = liveKeys.map(place)
      for (const name of readdirSync(`${path}/layers`))
        if (!live.includes(`${path}/layers/${name}`)) ok('rm', '-rf', `${path}/layers/${name}`)
    }
  }
}

/** As with directories, but with files, which are mounted only to be copied. */
function keepingImages(path: string): UnpackHooks {
  return {
    ...keeping(path, 'layer'),
    name: 'keeping-image',
    extract: 'image',
    merge: ({ chainId }) => ({
      target: `${path}/layers/${chainId.slice('sha256:'.length)}.merged`
    }),
    preExtract: () => ({ target: `${path}/staged/${randomUUID()}` }),
    finish({ layers, merged, rootfs }) {
      mkdirSync(`${path}/stacked`, { recursive: true })
      const images = [merged!, ...layers.map(({ target }) => target!)]
      const loops = images.map((image) => ok('losetup', '-fr', '--show', image).stdout.trim())
      try {
        const devices = loops.slice(1).map((device) => `,device=${device}`)
        ok('mount', '-t', 'erofs', '-o', `ro${devices.join('')}`, loops[0]!, `${path}/stacked`)
        try {
          ok('cp', '-aT', `${path}/stacked`, rootfs)
        } finally {
          ok('umount', `${path}/stacked`)
        }
      } finally {
        for (const loop of loops) ok('losetup', '-d', loop)
      }
    }
  }
}

function copyStacked(layers: readonly string[], to: string, at: string): void {
  mkdirSync(at, { recursive: true })
  mkdirSync(`${at}-bottom`, { recursive: true })
  const lower = [`${at}-bottom`, ...layers].reverse().join(':')
  ok('mount', '-t', 'overlay', 'overlay', '-o', `ro,lowerdir=${lower}`, at)
  try {
    ok('cp', '-aT', at, to)
  } finally {
    ok('umount', at)
  }
}
