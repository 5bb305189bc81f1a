/** What every set promises of its store, whatever the store is made of. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectOk, run } from '../support/run.ts'
import { environmentOf, keyOf, layer, makeTree, type Layer, type SetDriver } from './set-driver.ts'

export const base = layer('base', makeTree)

export const small = layer('small', (target) => {
  writeFileSync(join(target, 'file'), 'of the image')
})

export interface StoreCases {
  /** Two bundles on one new store. */
  twoBundles: () => [SetDriver, SetDriver]
  /** The store's directory of what is committed. */
  committed: 'images' | 'layers'
  /** A layer on top of `base` that adds a file `added`. */
  second: Layer
}

export function storeCases({ twoBundles, committed, second }: StoreCases): void {
  test('layers are extracted once, and every bundle has them', () => {
    const [one, other] = twoBundles()
    expect(one.unpack([base, second]).extracted).toEqual([base.key, second.key])
    expect(other.unpack([base, second]).extracted).toEqual([])
    expect(existsSync(join(other.rootfs, 'added'))).toBe(true)
    expect(readdirSync(join(one.store, 'staged'))).toEqual([])
  })

  test('of two that commit one layer both succeed, and one copy is left', () => {
    const [one, other] = twoBundles()
    one.must('prepare')
    const env = environmentOf([base], 0)
    const staged = [one, other].map((bundle) => bundle.must('pre-extract', env))
    for (const target of staged) makeTree(target)
    const targets = staged.map((target) =>
      one.must('post-extract', { ...env, OCI_UNPACK_TARGET: target })
    )
    expect(targets[0]).toBe(targets[1])
    expect(readdirSync(join(one.store, 'staged'))).toEqual([])
    expect(readdirSync(join(one.store, committed))).toHaveLength(1)
    expect(existsSync(join(targets[0]!, 'untouched/deep/file'))).toBe(true)
    expect(existsSync(join(targets[0]!, staged[1]!.split('/').at(-1)!))).toBe(false)
  })

  test('two that commit one layer at the same moment both succeed', () => {
    const [bundle] = twoBundles()
    bundle.must('prepare')
    const env = environmentOf([base], 0)
    const staged = [1, 2, 3, 4].map(() => bundle.must('pre-extract', env))
    for (const target of staged) writeFileSync(join(target, 'file'), '')
    const targets = bundle.commitTogether(staged, env)
    expect(new Set(targets)).toEqual(new Set([bundle.must('try-skip', env)]))
    expect(targets).toHaveLength(4)
    expect(readdirSync(targets[0]!)).toEqual(['file'])
    expect(readdirSync(join(bundle.store, 'staged'))).toEqual([])
  })

  test('what a killed process staged is not committed, and gc removes it', () => {
    const [bundle] = twoBundles()
    bundle.must('prepare')
    const env = environmentOf([base], 0)
    makeTree(expectOk(bundle.callAsDead('pre-extract', env), 'pre-extract').stdout.trimEnd())
    const alive = bundle.must('pre-extract', env)
    expect(bundle.call('try-skip', env).status).toBe(10)
    bundle.must('gc', { OCI_UNPACK_LIVE_KEYS: '' })
    expect(readdirSync(join(bundle.store, 'staged'))).toEqual([alive.split('/').at(-1)])
    expect(bundle.unpack([base]).extracted).toEqual([base.key])
  })

  test('what a killed process staged goes with the next unpack', () => {
    const [bundle, other] = twoBundles()
    bundle.must('prepare')
    const env = environmentOf([base], 0)
    makeTree(expectOk(bundle.callAsDead('pre-extract', env), 'pre-extract').stdout.trimEnd())
    const alive = bundle.must('pre-extract', env)
    other.must('prepare')
    expect(readdirSync(join(bundle.store, 'staged'))).toEqual([alive.split('/').at(-1)])
  })

  test('what was staged goes with abort, whether or not the engine has heard of it', () => {
    const [bundle, other] = twoBundles()
    bundle.must('prepare')
    const env = environmentOf([base], 0)
    const own = [1, 2].map(() => bundle.must('pre-extract', env))
    const foreign = other.must('pre-extract', env)
    bundle.must('abort', { OCI_UNPACK_TARGETS: own[0]! })
    expect(readdirSync(join(bundle.store, 'staged'))).toEqual([foreign.split('/').at(-1)])
    expect(readdirSync(bundle.state)).toEqual([])
  })

  test('gc of a store that is not there yet is well, and makes none', () => {
    const [bundle] = twoBundles()
    bundle.must('gc', { OCI_UNPACK_LIVE_KEYS: '' })
    // a zfs pool is a mount point before anything is in it
    expect(existsSync(bundle.store) ? readdirSync(bundle.store) : []).toEqual([])
  })

  test('gc keeps what is live, and takes nothing from a bundle', () => {
    const [bundle, other] = twoBundles()
    const live = layer('live', makeTree)
    const dead = layer('dead', makeTree)
    for (const it of [live, dead]) {
      const env = environmentOf([it], 0)
      other.must('prepare')
      const target = other.must('pre-extract', env)
      it.write(target)
      other.must('post-extract', { ...env, OCI_UNPACK_TARGET: target })
    }
    bundle.unpack([base, second])
    bundle.must('gc', { OCI_UNPACK_LIVE_KEYS: `${keyOf('elsewhere')}\n${live.key}` })
    const kept = readdirSync(join(bundle.store, committed))
    expect(kept).toContain(live.key.slice(7))
    expect(kept).not.toContain(dead.key.slice(7))
    expect(readdirSync(join(bundle.store, 'staged'))).toEqual([])
    expect(existsSync(join(bundle.rootfs, 'added'))).toBe(true)
    expect(existsSync(join(bundle.rootfs, 'untouched/deep/file'))).toBe(true)
  })

  test('abort undoes a finish that failed and what was staged, and touches nothing else', () => {
    const [bundle] = twoBundles()
    bundle.must('prepare')
    const staged = bundle.must('pre-extract', environmentOf([base], 0))
    const finish = bundle.call('finish', { OCI_UNPACK_LAYER_TARGETS: join(bundle.store, 'no') })
    expect(finish.status).not.toBe(0)
    const outside = join(bundle.bundle, 'outside')
    mkdirSync(outside)
    const targets = { OCI_UNPACK_TARGETS: `${staged}\n${outside}` }
    bundle.must('abort', targets)
    bundle.must('abort', targets)
    expect(readdirSync(join(bundle.store, 'staged'))).toEqual([])
    expect(readdirSync(bundle.bundle).sort()).toEqual(['.oci-unpack', 'outside'])
    expect(readdirSync(bundle.state)).toEqual([])
  })
}

export interface MountedPlace {
  bundle: (name: string) => SetDriver
  /** How many there are in the store. */
  instances: () => number
}

/** What sets promise whose root file systems are mounted, for a new place each time. */
export function mountedCases(newPlace: () => MountedPlace): void {
  test('an image without layers is an empty directory', () => {
    const place = newPlace()
    const bundle = place.bundle('one')
    bundle.unpack([])
    expect(readdirSync(bundle.rootfs)).toEqual([])
    expect(run('mountpoint', '-q', bundle.rootfs).status).toBe(0)
    expect(place.instances()).toBe(1)
  })

  test('a bundle that was removed around its mount can be deleted', () => {
    const place = newPlace()
    const [bundle, other] = [place.bundle('one'), place.bundle('other')]
    for (const each of [bundle, other]) each.unpack([small])
    rmSync(bundle.state, { recursive: true })
    bundle.must('delete')
    expect(place.instances()).toBe(1)
    expect(existsSync(bundle.rootfs)).toBe(false)
    expect(existsSync(join(other.rootfs, 'file'))).toBe(true)
  })

  test('an instance that somebody else has named is not believed', () => {
    const bundle = newPlace().bundle('one')
    bundle.unpack([small])
    writeFileSync(join(bundle.state, 'instance'), '../images\n')
    expect(bundle.call('delete').stderr).toContain('is not the name of an instance')
  })
}

/** Deletes a bundle of `base`: nothing of it stays, its image does, and there is no harm in doing it again. */
export function deletedAgainAndAgain(bundle: SetDriver): void {
  bundle.must('delete')
  bundle.must('delete')
  expect(readdirSync(bundle.bundle)).toEqual(['.oci-unpack'])
  expect(readdirSync(bundle.state)).toEqual([])
  expect(bundle.call('try-skip', environmentOf([base], 0)).status).toBe(0)
  rmSync(bundle.state, { recursive: true })
  bundle.must('delete')
}
