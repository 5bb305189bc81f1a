/** An ordinary user swaps names for links to a directory that only root may enter, while root works beside them. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, cpSync, mkdirSync, rmSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ociUnpack, ociUnpackOk } from '../e2e/cli.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { Box, makeTree, untouched } from './box.ts'
import { isLeftOut } from './faults.ts'
import { unfitSentence } from './observe.ts'
import { count, countFailure, rounds } from './settings.ts'

const USER = 12345
const source = new URL('swap.c', import.meta.url).pathname
const MINUTES = 30 * 60_000

interface Race {
  name: string
  prepare?: () => void
  args: () => string[]
  /** What the user swaps, in the directory that is the user's. */
  names: readonly string[]
}

describe.runIf(needs('root', 'cc', 'setpriv'))('while a user swaps names for links', () => {
  let work: string
  let box: Box
  /** The user's. */
  let place: string
  let outside: string
  let racer: ChildProcess | undefined

  beforeAll(() => {
    work = makeTemporary()
    chmodSync(work, 0o755)
    execFileSync('cc', ['-O2', '-o', `${work}/swap`, source])
    box = new Box(work)
    place = `${box.path}/place`
    outside = `${work}/outside`
  })
  afterEach(() => stop())
  afterAll(() => removeTemporary(work))

  const bundle = (): string => `${place}/bundle`
  const layout = (): string => `${place}/layout`
  const unpackBundle = (): void => {
    ociUnpackOk('unpack', '--no-hooks', '--image', box.image, bundle())
    ok('chown', `${USER}:${USER}`, bundle())
  }
  const giveLayout = (): void => {
    cpSync(box.layout, layout(), { recursive: true })
    mkdirSync(`${layout()}/.umoci-dead/rootfs`, { recursive: true })
    ok('chown', '-R', `${USER}:${USER}`, layout())
  }
  const giveTree = (): void => {
    makeTree(`${place}/tree`)
    for (const name of ['', 'var', 'var/data', 'etc', 'bin'])
      chownSync(`${place}/tree/${name}`, USER, USER)
  }

  const races: readonly Race[] = [
    {
      name: 'unpack',
      args: () => ['unpack', '--no-hooks', '--image', box.image, bundle()],
      names: ['.bundle.*', 'bundle']
    },
    {
      name: 'unpack into an empty directory',
      prepare: () => {
        mkdirSync(bundle())
        chownSync(bundle(), USER, USER)
      },
      args: () => ['unpack', '--no-hooks', '--image', box.image, bundle()],
      names: ['bundle/.oci-unpack*', 'bundle/rootfs', 'bundle/*', 'bundle']
    },
    {
      name: 'raw unpack',
      args: () => ['raw', 'unpack', '--image', box.image, `${place}/tree`],
      names: ['.tree.*', 'tree']
    },
    {
      name: 'raw unpack over a tree',
      prepare: giveTree,
      args: () => ['raw', 'unpack', '--image', box.image, `${place}/tree`],
      names: ['tree/.oci-unpack*', 'tree/var', 'tree/etc', 'tree/bin', 'tree/var/data']
    },
    {
      name: 'repack',
      prepare: unpackBundle,
      args: () => [
        'repack',
        '--no-hooks',
        '--image',
        `${box.layout}:out`,
        '--refresh-bundle',
        bundle()
      ],
      names: ['bundle/rootfs', 'bundle/umoci.json', 'bundle/*', 'bundle']
    },
    {
      name: 'bundle delete',
      prepare: unpackBundle,
      args: () => ['bundle', 'delete', '--no-hooks', bundle()],
      names: ['bundle/rootfs', 'bundle/*', 'bundle']
    },
    {
      name: 'gc',
      prepare: giveLayout,
      args: () => ['gc', '--layout', layout()],
      names: ['layout/.umoci-*', 'layout/blobs', 'layout/blobs/sha256', 'layout']
    },
    {
      name: 'copy into a layout',
      prepare: giveLayout,
      args: () => ['copy', `${box.layout}:other`, `${layout()}:copy`],
      names: [
        'layout/.umoci-*',
        'layout/blobs',
        'layout/blobs/sha256',
        'layout/index.json',
        'layout'
      ]
    },
    {
      name: 'copy to a new layout',
      args: () => ['copy', box.image, `${layout()}:copy`],
      names: ['.oci-unpack-*', 'layout']
    },
    {
      name: 'copy to an archive',
      args: () => ['copy', box.image, `oci-archive:${place}/archive.tar:copy`],
      names: ['.oci-unpack-*', 'archive.tar']
    },
    {
      name: 'config',
      prepare: giveLayout,
      args: () => ['config', '--image', `${layout()}:image`, '--author', 'somebody'],
      names: [
        'layout/.umoci-*',
        'layout/blobs',
        'layout/blobs/sha256',
        'layout/index.json',
        'layout'
      ]
    }
  ]

  for (const race of races)
    test.skipIf(isLeftOut(`race, ${race.name}`))(
      `${race.name} does nothing outside`,
      { timeout: MINUTES },
      async () => {
        const failures = new Set<string>()
        for (let round = 0; round < rounds * 2; round++) {
          reset()
          race.prepare?.()
          const before = untouched(outside)
          start(race.names)
          const { stderr } = ociUnpack(...race.args())
          await stop()
          count('races')
          const after = untouched(outside)
          if (after !== before) failures.add(`outside: ${difference(before, after)}`)
          const unfit = unfitSentence(stderr)
          if (unfit !== undefined) failures.add(unfit)
        }
        for (const failure of failures) countFailure(`race, ${race.name}: ${failure}`)
        expect([...failures]).toEqual([])
      }
    )

  function reset(): void {
    box.empty()
    mkdirSync(place)
    chownSync(place, USER, USER)
    rmSync(outside, { recursive: true, force: true })
    makeTree(outside)
    // Names that root may come by. It is not a bundle or a layout: whoever takes it for one has looked elsewhere before.
    cpSync(`${work}/template/blobs`, outside, { recursive: true })
    cpSync(`${work}/template/blobs/sha256`, outside, { recursive: true })
    for (const name of ['layers/0/tree', 'trash']) {
      mkdirSync(`${outside}/${name}`, { recursive: true })
      cpSync(`${work}/layer.tar`, `${outside}/${name}/file`)
    }
    chmodSync(outside, 0o700)
  }

  function start(names: readonly string[]): void {
    const user = ['--reuid', String(USER), '--regid', String(USER), '--clear-groups']
    racer = spawn('setpriv', [...user, `${work}/swap`, outside, place, ...names], {
      stdio: 'inherit'
    })
  }

  async function stop(): Promise<void> {
    if (racer === undefined) return
    const ended = once(racer, 'exit')
    if (racer.exitCode === null && racer.signalCode === null) {
      racer.kill('SIGTERM')
      await ended
    }
    racer = undefined
  }
})

function difference(before: string, after: string): string {
  const [left, right] = [before.split('\n'), after.split('\n')]
  const lost = left.filter((line) => !right.includes(line)).slice(0, 2)
  const gained = right.filter((line) => !left.includes(line)).slice(0, 4)
  return `-[${lost.join(' | ')}] +[${gained.join(' | ')}]`
}
