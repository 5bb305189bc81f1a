/** File systems mounted below what a command works on: nothing of them goes, whatever becomes of the command. */
import { cpSync, existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ociUnpack, ociUnpackOk } from '../e2e/cli.ts'
import { snapshot } from '../reference/snapshot.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { Box, makeTree } from './box.ts'
import { isLeftOut } from './faults.ts'
import { makeOutside, meets, type Obstacle } from './kept.ts'
import { mountsBelow } from './observe.ts'
import { repeated } from './settings.ts'

/** So many names that a directory would rather be made anew than added to. */
const MANY = Array.from({ length: 30 }, (_, number) => file(`var/of-the-image-${number}`))
const MANY_DEEP = MANY.map((entry) => ({ ...entry, name: entry.name.replace('var', 'var/data') }))

/** What can be mounted at a path. Each shows a tree of others there. */
const KINDS = ['tmpfs', 'bind', 'loop', 'file'] as const
type MountKind = (typeof KINDS)[number]

describe.runIf(needs('root', 'mounts', 'loop', 'mkfs.ext4'))('below a mount', () => {
  let work: string
  let box: Box
  let outside: string
  let images = 0

  beforeAll(() => {
    work = makeTemporary()
    box = new Box(work)
  })
  afterEach(() => unmountAll())
  afterAll(() => {
    unmountAll()
    removeTemporary(work)
  })

  describe.each(KINDS)('that is a %s', (kind) => {
    const inTree = (): string[] => {
      makeTree(`${box.path}/tree`)
      return mountAt(kind, `${box.path}/tree/var/data`)
    }
    const over = (...layers: readonly Buffer[]): string[][] => {
      const { reference } = buildImage(`${work}/image-${kind}-${++images}`, { layers })
      return [['raw', 'unpack', '--image', reference, `${box.path}/tree`]]
    }
    const inBundle = (): string[] => {
      ociUnpackOk('unpack', '--no-hooks', '--image', box.image, box.bundle)
      return mountAt(kind, `${box.bundle}/rootfs/var/data`)
    }
    const repack = (): string[] => ['repack', '--no-hooks', '--image', `${box.layout}:out`]
    const target = (): string => `${box.path}/target`

    const obstacles: readonly Obstacle[] = [
      {
        name: 'raw unpack of many names beside it',
        prepare: inTree,
        commands: () => over(tar(directory('var/'), ...MANY), tar(...MANY_DEEP))
      },
      {
        name: 'raw unpack of a file in its place',
        prepare: inTree,
        commands: () => over(tar(file('var/data', 'a file')))
      },
      {
        name: 'raw unpack of a file in the place of its parent',
        prepare: inTree,
        commands: () => over(tar(file('var', 'a file')))
      },
      {
        name: 'raw unpack of an opaque parent',
        prepare: inTree,
        commands: () => over(tar(file('var/x')), tar(file('var/.wh..wh..opq'), file('var/y')))
      },
      {
        name: 'repack, and deletion of the bundle',
        prepare: inBundle,
        commands: () => [
          [...repack(), box.bundle],
          [...repack(), '--refresh-bundle', box.bundle],
          ['bundle', 'delete', '--no-hooks', box.bundle]
        ]
      },
      {
        name: 'unpack beside what an unpack left',
        prepare: () => {
          const left = `${box.path}/.bundle.oci-unpack-0123456789ab`
          mkdirSync(`${left}/rootfs/var/data`, { recursive: true })
          return mountAt(kind, `${left}/rootfs/var/data`)
        },
        commands: () => [['unpack', '--no-hooks', '--image', box.image, box.bundle]]
      },
      {
        name: 'gc of a layout and copy into one',
        prepare: () => {
          cpSync(box.layout, target(), { recursive: true })
          mkdirSync(`${target()}/.umoci-dead/a`, { recursive: true })
          mkdirSync(`${target()}/blobs/a`)
          const places = ['.umoci-dead/a', 'blobs/a']
          return places.flatMap((name) => mountAt(kind, `${target()}/${name}`))
        },
        commands: () => [
          ['gc', '--layout', target()],
          ['copy', `${box.layout}:other`, `${target()}:copy`]
        ]
      }
    ]

    for (const obstacle of obstacles)
      test.skipIf(isLeftOut(`${kind}, ${obstacle.name}`))(`survives ${obstacle.name}`, () => {
        expect(meets(box, obstacle, reset)).toEqual([])
      })

    test.skipIf(isLeftOut(`${kind}, deletion`))('keeps a bundle from being deleted in part', () => {
      reset()
      inBundle()
      const { status } = ociUnpack('bundle', 'delete', '--no-hooks', box.bundle)
      expect(status).toBe(1)
      expect(existsSync(`${box.bundle}/rootfs/etc/passwd`)).toBe(true)
      unmountAll()
      ociUnpackOk('bundle', 'delete', '--no-hooks', box.bundle)
      expect(existsSync(box.bundle)).toBe(false)
    })
  })

  test.skipIf(repeated !== undefined)(
    'raw unpack over a tree keeps owner, mode and attributes of what no layer describes',
    () => {
      reset()
      makeTree(`${box.path}/tree`)
      const theirs = ['var', 'var/data', 'home'].map((name) => headOf(`${box.path}/tree/${name}`))
      const { reference } = buildImage(`${box.path}/undescribed`, {
        layers: [tar(...MANY), tar(...MANY_DEEP)]
      })
      ociUnpackOk('raw', 'unpack', '--image', reference, `${box.path}/tree`)
      expect(['var', 'var/data', 'home'].map((name) => headOf(`${box.path}/tree/${name}`))).toEqual(
        theirs
      )
    }
  )

  function reset(): void {
    unmountAll()
    box.empty()
    outside = makeOutside(`${box.path}/outside`)
  }

  /** What has to stay as it is. */
  function mountAt(kind: MountKind, path: string): string[] {
    if (kind === 'file') {
      writeFileSync(`${path}/bound`, '')
      ok('mount', '--bind', `${outside}/keep/etc/theirs`, `${path}/bound`)
      return [`${path}/bound`]
    }
    if (kind === 'bind') ok('mount', '--bind', `${outside}/keep`, path)
    if (kind === 'tmpfs') ok('mount', '-t', 'tmpfs', 'tmpfs', path)
    if (kind === 'loop') mountImage(path)
    if (kind !== 'bind') makeTree(path)
    return readdirSync(path)
      .filter((name) => name !== 'lost+found')
      .map((name) => `${path}/${name}`)
  }

  function mountImage(path: string): void {
    const image = `${box.path}/image-${readdirSync(box.path).length}`
    writeFileSync(image, '')
    truncateSync(image, 2 ** 23)
    ok('mkfs.ext4', '-q', '-F', image)
    ok('mount', '-o', 'loop', image, path)
  }

  function unmountAll(): void {
    for (const path of mountsBelow(box.path).toReversed()) ok('umount', '-l', path)
  }
})

/** Without its times: what comes into it changes them. */
function headOf(path: string): string {
  return snapshot(path).split('\n')[0]!.split(' ').slice(1, 4).join(' ')
}
