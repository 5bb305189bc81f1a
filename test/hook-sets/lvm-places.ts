/** Bundles of the set lvm-thin, each with a store and a model of LVM, for the tests of a file. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { makeWithin, mountNew, type Mounted } from '../support/loop.ts'
import { makeLvm, type Lvm } from './lvm.ts'
import { environmentOf, layer, SetDriver } from './set-driver.ts'
import { small } from './store-cases.ts'

/** What `needs()` is to be asked before. */
export const REQUIREMENTS = ['mounts', 'flock', 'setfattr', 'setcap', 'setfacl'] as const

export interface Place {
  home: string
  lvm: Lvm
}

/** Makes new places until the tests of this file have ended. */
export function places(): () => Place {
  let disk: Mounted
  const models: Lvm[] = []
  beforeAll(() => {
    disk = mountNew('ext4', 1000)
  })
  afterEach(() => {
    for (const lvm of models.splice(0)) lvm.release()
  })
  afterAll(() => disk.release())
  return () => {
    const home = makeWithin(disk)
    const lvm = makeLvm(home)
    models.push(lvm)
    return { home, lvm }
  }
}

const IMAGE = {
  OCI_UNPACK_LAYOUT: '/srv/images/debian',
  OCI_UNPACK_REFERENCE: '12',
  OCI_UNPACK_MANIFEST_DIGEST: `sha256:${'0123456789abcdef'.repeat(4)}`,
  OCI_UNPACK_UNPACKED_SIZE: '30000000'
}

export function newBundle({ home, lvm }: Place, name = 'one', env = {}): SetDriver {
  const sizes = { SIZE_FLOOR: '32M', DATA_FLOOR: '1G', METADATA_FLOOR: '16M' }
  const all = { ...lvm.env, ...sizes, ...IMAGE, ...env }
  return new SetDriver('lvm-thin', join(home, 'store'), join(home, 'bundles', name), all)
}

/** On `base` of the cases for stores. */
export const second = layer('second', (target) => {
  writeFileSync(join(target, 'added'), '')
  rmSync(join(target, 'written-3'))
})

export function hex({ key }: { key: string }): string {
  return key.slice('sha256:'.length)
}

export function names({ lvm }: Place): string[] {
  return Object.keys(lvm.volumes()).sort()
}

/** Stages `small`, and gives its directory. */
export function stage(bundle: SetDriver): string {
  return bundle.must('pre-extract', environmentOf([small], 0))
}

export function commit(bundle: SetDriver, target: string): string {
  return bundle.must('post-extract', { ...environmentOf([small], 0), OCI_UNPACK_TARGET: target })
}
