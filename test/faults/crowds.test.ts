/** Many at one place: several unpacks to one path, and twelve processes of mixed commands on one layout. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { shippedSet } from '../conformance/kit.ts'
import { ociUnpackCommand } from '../e2e/cli.ts'
import { snapshot } from '../reference/snapshot.ts'
import { library } from '../support/dist.ts'
import { makeWithin, mountNew, type Mounted } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { Box } from './box.ts'
import { clear } from './clear.ts'
import { imagesIn, leftovers, unfitSentence } from './observe.ts'
import { count, countFailure, randomFor, repeated, rounds, seed } from './settings.ts'

const MINUTES = 30 * 60_000
const CROWD = 5
const PROCESSES = 12

interface Ended {
  args: readonly string[]
  status: number | null
  stderr: string
}

describe.runIf(needs('root') && repeated === undefined)('of five unpacks to one path', () => {
  let work: string
  let box: Box
  beforeAll(() => {
    work = makeTemporary()
    box = new Box(work)
  })
  afterAll(() => removeTemporary(work))

  test.each([
    ['a new one', false],
    ['an empty directory', true]
  ])('one wins: %s', { timeout: MINUTES }, async (_name, isThere) => {
    await crowd(box, [], (round) => {
      if (isThere && round >= 0) mkdirSync(box.bundle, { mode: 0o755 })
    })
  })

  test('one wins: with the pool set', { timeout: MINUTES }, async () => {
    await crowd(box, ['pool'], () => undefined)
  })
})

describe.runIf(needs('root', 'overlay') && repeated === undefined)(
  'of five unpacks to one path with a set that mounts',
  () => {
    let memory: Mounted
    let box: Box
    beforeAll(() => {
      memory = mountNew('tmpfs')
      box = new Box(makeWithin(memory))
    })
    afterAll(() => memory.release())

    test('one wins: with the overlay set', { timeout: MINUTES }, async () => {
      await crowd(box, ['overlay'], () => undefined)
    })
  }
)

/** Rounds of five; each but the winner is told that the bundle exists, and has touched nothing. */
async function crowd(
  box: Box,
  sets: readonly string[],
  prepare: (round: number) => void
): Promise<void> {
  const failures: string[] = []
  for (let round = 0; round < (rounds > 1 ? rounds * 2 : 1); round++) {
    box.empty()
    prepare(round)
    const [hooks] = sets.map((set) => shippedSet(set, box.path))
    const flags = hooks === undefined ? ['--no-hooks'] : ['--hooks', hooks]
    const args = ['unpack', ...flags, '--image', box.image, box.bundle]
    const all = await Promise.all(Array.from({ length: CROWD }, () => start(box, args)))
    count('crowds')
    failures.push(...wrongWith(all, box).map((it) => `round ${round}: ${it}`))
    await remove(box, hooks)
    const left = [...leftovers(box.path), ...entriesOf(`${box.path}/store/bundles`)]
    if (left.length > 0) failures.push(`round ${round}: left behind: ${left.join(', ')}`)
  }
  for (const failure of failures) countFailure(`crowd ${sets.join('')}: ${failure}`)
  expect(failures).toEqual([])
}

function wrongWith(all: readonly Ended[], box: Box): string[] {
  const wrong: string[] = []
  const losers = all.filter(({ status }) => status !== 0)
  if (losers.length !== CROWD - 1) wrong.push(`${CROWD - losers.length} winners`)
  for (const { stderr } of losers)
    if (!stderr.includes('[BUNDLE_EXISTS]')) wrong.push(`a loser says: ${stderr.trim()}`)
  if (!existsSync(`${box.bundle}/umoci.json`)) return [...wrong, 'there is no bundle']
  const mode = (lstatSync(box.bundle).mode & 0o7777).toString(8)
  if (mode !== '700') wrong.push(`the bundle has the mode ${mode}`)
  if (treeOf(box) !== snapshot(`${box.bundle}/rootfs`)) wrong.push('the tree is another')
  const entries = entriesOf(`${box.path}/store/bundles`)
  if (entries.length > 1) wrong.push(`the store knows ${entries.length} bundles`)
  return wrong
}

/** What a single unpack gives. */
function treeOf(box: Box): string {
  const file = `${box.work}/alone`
  if (!existsSync(file)) {
    const [node, main] = ociUnpackCommand
    const { status } = spawnSync(node, [main, 'raw', 'unpack', '--image', box.image, file])
    expect(status).toBe(0)
  }
  return snapshot(file)
}

async function remove(box: Box, hooks: string | undefined): Promise<void> {
  const options = hooks === undefined ? {} : { hooks: { file: hooks } }
  if (existsSync(box.bundle))
    await library.deleteBundle({ bundle: box.bundle, ...options }).catch(() => undefined)
  clear(box.path)
  rmSync(box.bundle, { recursive: true, force: true })
}

function entriesOf(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : []
}

describe.runIf(needs('root') && repeated === undefined)(
  'twelve processes of mixed commands on one layout',
  () => {
    let work: string
    let box: Box
    beforeAll(() => {
      work = makeTemporary()
      box = new Box(work)
    })
    afterAll(() => removeTemporary(work))

    test('all succeed, and lose nothing', { timeout: MINUTES }, async () => {
      const random = randomFor('mixed')
      for (let round = 0; round < rounds; round++) {
        box.empty()
        const steps = Array.from({ length: PROCESSES }, (_, number) => mixed(box, number, random))
        const all = (await Promise.all(steps.map((step) => inTurn(box, step.commands)))).flat()
        const failed = all.filter(({ status, stderr }) => status !== 0 || unfitSentence(stderr))
        expect(failed, `seed ${seed}, round ${round}`).toEqual([])
        const images = await imagesIn(box.layout)
        expect(images).toContain('whole')
        const tags = images
          .split('\n')
          .slice(0, -1)
          .map((line) => line.split(' ')[0])
        const expected = ['image', 'other', ...steps.flatMap(({ tags: made }) => made)]
        expect(tags.sort()).toEqual(expected.sort())
        expect(leftovers(box.path)).toEqual([])
      }
    })
  }
)

interface Steps {
  commands: string[][]
  /** Those that are there afterwards. */
  tags: string[]
}

/** Three commands of one process, on tags of its own, one of which it removes again. */
function mixed(box: Box, number: number, random: () => number): Steps {
  const { layout, image, path, work } = box
  const own = (step: number): string => `p${number}.${step}`
  const makers: readonly ((tag: string) => string[])[] = [
    (tag) => ['config', '--image', image, '--tag', tag, '--author', tag],
    (tag) => ['insert', '--image', image, '--tag', tag, `${work}/layer.tar`, `/${tag}`],
    (tag) => ['raw', 'add-layer', '--image', image, '--tag', tag, `${work}/layer.tar`],
    (tag) => ['tag', '--image', image, tag],
    (tag) => ['copy', `${layout}:other`, `${layout}:${tag}`],
    (tag) => ['new', '--image', `${layout}:${tag}`]
  ]
  const others: readonly (() => string[])[] = [
    () => ['gc', '--layout', layout],
    () => ['verify', '--layout', layout],
    () => ['unpack', '--no-hooks', '--image', image, `${path}/bundle-${number}`],
    () => ['raw', 'unpack', '--image', image, `${path}/tree-${number}`]
  ]
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const commands = [0, 1].map((step) => pick(makers)(own(step)))
  return {
    commands: [...commands, pick(others)(), ['remove', '--image', `${layout}:${own(0)}`]],
    tags: [own(1)]
  }
}

async function inTurn(box: Box, commands: readonly string[][]): Promise<Ended[]> {
  const ended: Ended[] = []
  for (const args of commands) ended.push(await start(box, args))
  return ended
}

async function start(box: Box, args: readonly string[]): Promise<Ended> {
  count('commands')
  const [node, main] = ociUnpackCommand
  const child = spawn(node, [main, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: box.env
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [status] = (await once(child, 'close')) as [number | null]
  return { args, status, stderr }
}
