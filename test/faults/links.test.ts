/** Symbolic links where a directory of ours is expected: nothing is done where they lead. */
import { cpSync, lchownSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { shippedSet } from '../conformance/kit.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from '../e2e/cli.ts'
import { needs } from '../support/requires.ts'
import { ok, run } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { Box, makeTree, untouched } from './box.ts'
import { isLeftOut } from './faults.ts'
import { makeOutside, meets, type Obstacle } from './kept.ts'
import { unfitSentence } from './observe.ts'
import { count } from './settings.ts'

describe.runIf(needs('root'))('a link to a directory of others', () => {
  let work: string
  let box: Box
  let outside: string

  beforeAll(() => {
    work = makeTemporary()
    box = new Box(work)
    outside = `${work}/outside`
  })
  afterAll(() => removeTemporary(work))

  const link = (path: string, target = outside): void => {
    rmSync(path, { recursive: true, force: true })
    symlinkSync(target, path)
  }
  const unpackBundle = (): void => {
    ociUnpackOk('unpack', '--no-hooks', '--image', box.image, box.bundle)
  }
  const target = (): string => `${box.path}/target`
  /** A layout that a user may write to: what is named there is nobody's promise. */
  const giveLayout = (): void => {
    cpSync(box.layout, target(), { recursive: true })
    ok('chown', '-R', '12345:12345', target())
  }
  const onBundles = () => [
    ['repack', '--no-hooks', '--image', `${box.layout}:out`, box.bundle],
    ['repack', '--no-hooks', '--image', `${box.layout}:out`, '--refresh-bundle', box.bundle],
    ['unpack', '--no-hooks', '--image', box.image, box.bundle],
    ['bundle', 'delete', '--no-hooks', box.bundle]
  ]
  const onLayouts = () => [
    ['copy', `${box.layout}:other`, `${target()}:copy`],
    ['config', '--image', `${target()}:image`, '--author', 'somebody'],
    ['insert', '--image', `${target()}:image`, `${work}/layer.tar`, '/x'],
    ['gc', '--layout', target()]
  ]
  const onTrees = () => [
    ['unpack', '--no-hooks', '--image', box.image, box.bundle],
    ['raw', 'unpack', '--image', box.image, `${box.path}/tree`],
    ['copy', box.image, `${box.path}/copied:copy`],
    ['copy', box.image, `oci-archive:${box.path}/archive.tar`]
  ]

  const places: readonly (Omit<Obstacle, 'prepare'> & { prepare: () => void })[] = [
    {
      name: 'the state of a bundle',
      prepare: () => {
        unpackBundle()
        link(`${box.bundle}/.oci-unpack`)
      },
      commands: onBundles
    },
    {
      name: 'the rootfs of a bundle',
      prepare: () => {
        unpackBundle()
        link(`${box.bundle}/rootfs`)
      },
      commands: onBundles
    },
    {
      name: 'the rootfs of a directory to unpack into',
      prepare: () => {
        mkdirSync(box.bundle)
        link(`${box.bundle}/rootfs`)
      },
      commands: onBundles
    },
    {
      name: 'the state in a directory to unpack into',
      prepare: () => {
        mkdirSync(box.bundle)
        link(`${box.bundle}/.oci-unpack`)
      },
      commands: onBundles
    },
    {
      name: 'files of a bundle',
      prepare: () => {
        unpackBundle()
        link(`${box.bundle}/config.json`, `${outside}/etc/theirs`)
        link(`${box.bundle}/.umoci.json.new`, `${outside}/etc/theirs`)
      },
      commands: onBundles
    },
    ...['blobs', 'blobs/sha256'].map((name) => ({
      name: `${name} of a layout`,
      prepare: () => {
        giveLayout()
        // a place with blobs, so that there is something to be found
        cpSync(`${target()}/blobs/sha256`, `${outside}/sha256`, { recursive: true })
        cpSync(`${target()}/blobs/sha256`, outside, { recursive: true })
        link(`${target()}/${name}`)
      },
      commands: onLayouts
    })),
    {
      name: 'a workspace of a layout',
      prepare: () => {
        giveLayout()
        link(`${target()}/.umoci-dead`)
        mkdirSync(`${target()}/.umoci-deep/rootfs`, { recursive: true })
        link(`${target()}/.umoci-deep/rootfs/x`)
      },
      commands: onLayouts
    },
    {
      name: 'what an unpack left',
      prepare: () => {
        makeTree(`${box.path}/tree`)
        for (const left of ['.bundle.oci-unpack-', 'tree/.oci-unpack-', '.oci-unpack-']) {
          link(`${box.path}/${left}0123456789ab`)
          mkdirSync(`${box.path}/${left}ba9876543210/rootfs`, { recursive: true })
          link(`${box.path}/${left}ba9876543210/rootfs/x`)
          link(`${box.path}/${left}ba9876543210/layers`)
          link(`${box.path}/${left}ba9876543210/trash`)
        }
      },
      commands: onTrees
    },
    {
      name: 'directories of a tree to unpack over',
      prepare: () => {
        makeTree(`${box.path}/tree`)
        for (const name of ['etc', 'var/data', 'bin']) link(`${box.path}/tree/${name}`)
      },
      // the image describes etc; through var/data and bin a name would lead to the root of the tree and below
      commands: () => [['raw', 'unpack', '--image', box.image, `${box.path}/tree`]]
    }
  ]

  for (const place of places)
    test.skipIf(isLeftOut(`link, ${place.name}`))(`in the place of ${place.name}`, () => {
      const prepare = (): string[] => {
        place.prepare()
        return [outside]
      }
      expect(meets(box, { ...place, prepare }, reset)).toEqual([])
    })

  test.skipIf(isLeftOut('link, cache'))('in the place of the cache of manifests keeps all', () => {
    const flags = ['--hooks', `${box.path}/set/hooks.toml`]
    const failures = ['', '/oci-unpack', '/oci-unpack/manifests'].flatMap((place) =>
      meets(
        box,
        {
          name: 'a linked cache',
          prepare: () => {
            shippedSet('pool', box.path)
            mkdirSync(`${box.path}/cache/oci-unpack`, { recursive: true })
            link(`${box.path}/cache${place}`)
            const names = ['etc', 'bin', 'home', 'sha256', 'manifests/etc']
            return names.map((name) => `${outside}/${name}`)
          },
          commands: () => [
            ['unpack', ...flags, '--image', box.image, box.bundle],
            ['hooks', 'gc', ...flags, '--layout', box.layout]
          ]
        },
        reset
      )
    )
    expect(failures).toEqual([])
  })

  test.skipIf(isLeftOut('link, parent'))(
    'in the place of the parent is followed, and only the bundle comes there',
    () => {
      reset()
      const before = ['etc', 'bin', 'home', 'rootfs'].map((name) => untouched(`${outside}/${name}`))
      link(`${box.path}/parent`)
      const bundle = `${box.path}/parent/new`
      ociUnpackOk('unpack', '--no-hooks', '--image', box.image, bundle)
      ociUnpackOk('bundle', 'delete', '--no-hooks', bundle)
      expect(
        ['etc', 'bin', 'home', 'rootfs'].map((name) => untouched(`${outside}/${name}`))
      ).toEqual(before)
    }
  )

  test.each([
    ['unpack', () => ['--no-hooks', '--image', box.image, box.bundle], 'empty'],
    [
      'unpack',
      () => ['--hooks', shippedSet('pool', box.path), '--image', box.image, box.bundle],
      'empty'
    ],
    ['raw unpack', () => ['--image', box.image, box.bundle], 'tree'],
    ['bundle delete', () => ['--no-hooks', box.bundle], 'bundle'],
    ['diff', () => [box.bundle], 'bundle'],
    [
      'repack',
      () => ['--no-hooks', '--refresh-bundle', '--image', `${box.layout}:out`, box.bundle],
      'bundle'
    ],
    ['gc', () => ['--layout', box.bundle], 'layout'],
    ['config', () => ['--image', `${box.bundle}:image`, '--author', 'me'], 'layout'],
    ['copy', () => [`${box.layout}:other`, `${box.bundle}:copy`], 'layout']
  ] as const)(
    'of another user in the place of what is given to %s is refused',
    (command, args, to) => {
      reset()
      const real = `${box.path}/real`
      if (to === 'bundle') ociUnpackOk('unpack', '--no-hooks', '--image', box.image, real)
      else if (to === 'layout') cpSync(box.layout, real, { recursive: true })
      else if (to === 'tree') makeTree(real)
      else mkdirSync(real)
      symlinkSync('real', box.bundle)
      lchownSync(box.bundle, 12345, 12345)
      const before = untouched(real)
      const { status, stderr } = ociUnpack(...command.split(' '), ...args())
      expect(stderr).toContain('TARGET_INVALID')
      expect(status).toBe(1)
      expect(untouched(real)).toBe(before)
    }
  )

  test.runIf(needs('mounts') && !isLeftOut('link, locks'))(
    'in the place of the directory for locks is refused',
    () => {
      const commands = [
        ['unpack', '--image', box.image, box.bundle],
        ['hooks', 'gc', '--layout', box.layout]
      ]
      for (const [command, ...args] of commands) {
        reset()
        const hooks = shippedSet('pool', box.path)
        const before = untouched(outside)
        const script = `mount -t tmpfs tmpfs /run && ln -s ${outside} /run/oci-unpack && exec "$@"`
        const namespace = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh']
        const all = [...ociUnpackCommand, command!, ...args, '--hooks', hooks]
        const { stderr } = run('unshare', ...namespace, ...all)
        count('obstacles')
        expect(untouched(outside)).toBe(before)
        expect(unfitSentence(stderr)).toBe(undefined)
      }
    }
  )

  function reset(): void {
    box.empty()
    makeOutside(outside)
  }
})
