import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeWithin, mountNew, requirementsOf, type Mounted } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import {
  casesToRun,
  IMAGES,
  leftBehind,
  NO_MOUNT,
  notPassed,
  sessionSet,
  shippedSet,
  testFunctions,
  testIn
} from './kit.ts'

/** What a set needs that is not on every machine. */
const TOOLS: Readonly<Record<string, readonly string[]>> = {
  erofs: ['erofs', 'overlay'],
  squashfs: ['mksquashfs', 'overlay']
}

const SETS = [
  ['overlay', 'ext4', IMAGES],
  ['erofs', 'ext4', []],
  ['squashfs', 'ext4', IMAGES],
  ['pool', 'btrfs', IMAGES],
  ['pool', 'xfs', IMAGES],
  ['pool', 'ext4', IMAGES]
] as const

describe.each(
  SETS.filter(([set, type]) => needs('setfattr', ...(TOOLS[set] ?? []), ...requirementsOf(type)))
)('the %s set on %s', (set, type, skipped) => {
  let disk: Mounted

  beforeAll(() => {
    disk = mountNew(type)
  })
  afterAll(() => disk.release())

  test('passes the kit, which leaves nothing behind', async () => {
    const home = makeWithin(disk)
    const report = await testIn(home, shippedSet(set, home), casesToRun())
    expect(notPassed(report)).toEqual([...skipped].sort())
    expect(leftBehind(home)).toEqual([])
  })
})

describe.runIf(needs('root'))('the kit runs', () => {
  let home: string

  beforeAll(() => {
    home = makeTemporary()
  })
  afterAll(() => removeTemporary(home))

  test('a program that answers many calls', async () => {
    const report = await testIn(`${home}/session`, sessionSet(`${home}/session`), casesToRun())
    expect(notPassed(report)).toEqual(['delta-list', NO_MOUNT, ...IMAGES].sort())
    expect(leftBehind(`${home}/session`)).toEqual([])
  })

  test('functions of a module', async () => {
    const report = await testFunctions(`${home}/functions`, casesToRun())
    expect(notPassed(report)).toEqual([NO_MOUNT, ...IMAGES].sort())
    expect(leftBehind(`${home}/functions`)).toEqual([])
  })

  test('functions that cannot hold everything, and say so', async () => {
    const place = `${home}/holding`
    const cases = ['cold unpack', 'metadata and odd names', 'delta-list', 'refresh']
    const report = await testFunctions(place, { cases }, 'whole seconds, as declared')
    expect(notPassed(report)).toEqual([])
  })

  test('functions that print to standard output', async () => {
    const place = `${home}/printing`
    const report = await testFunctions(place, { cases: ['two at once'] }, 'none, but it prints')
    expect(notPassed(report)).toEqual([])
  })
})
