/**
 * The life of bundles with the set lvm-thin, and the kit with kills at every call, with a model of LVM
 * (programs/lvm-model.mjs): volumes are files and their snapshots copies, while file systems, mounts and the set are real.
 * test/vm/lvm-thin.sh tests the set with LVM and the kernel's thin volumes.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { IMAGES, leftBehind, NO_MOUNT, notPassed, testIn } from '../conformance/kit.ts'
import { requirementsOf } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import {
  commit,
  hex,
  names,
  newBundle,
  places,
  REQUIREMENTS,
  second,
  stage,
  type Place
} from './lvm-places.ts'
import { environmentOf } from './set-driver.ts'
import { base, deletedAgainAndAgain, mountedCases, small } from './store-cases.ts'

const hooks = new URL('../../hooks/lvm-thin', import.meta.url).pathname

describe.runIf(needs(...REQUIREMENTS, ...requirementsOf('ext4'), ...requirementsOf('xfs')))(
  'the set lvm-thin',
  () => {
    const newPlace = places()

    mountedCases(() => {
      const place = newPlace()
      return {
        bundle: (name) => newBundle(place, name),
        instances: () => names(place).filter((name) => name.includes('+')).length
      }
    })

    test('layers are extracted once, and every rootfs is a snapshot of its own', () => {
      const place = newPlace()
      const [one, other] = [newBundle(place), newBundle(place, 'other')]
      expect(one.unpack([base, second]).extracted).toEqual([base.key, second.key])
      expect(other.unpack([base, second]).extracted).toEqual([])
      writeFileSync(join(one.rootfs, 'added'), 'changed')
      expect(readFileSync(join(other.rootfs, 'added'), 'utf8')).toBe('')
      expect(existsSync(join(other.rootfs, 'untouched/deep/file'))).toBe(true)
      expect(existsSync(join(other.rootfs, 'written-3'))).toBe(false)
      expect(readdirSync(other.rootfs)).not.toContain('lost+found')
      expect(readdirSync(join(one.store, 'staged'))).toEqual([])
      expect(names(place)).toEqual([
        'debian-12-1',
        'debian-12-1+1',
        'debian-12-1+2',
        `layer-${hex(base).slice(0, 32)}`
      ])
    })

    test('of a layer on a base that exists, only what it adds has to fit', () => {
      const place = newPlace()
      const xfs = { FS: 'xfs', SIZE_FLOOR: '320M' }
      newBundle(place, 'one', xfs).unpack([base])
      const image = { OCI_UNPACK_UNPACKED_SIZE: String(2 ** 31) }
      const layers = environmentOf([base, second], 1)
      const of = (size: string): Record<string, string> => ({
        ...image,
        ...layers,
        OCI_UNPACK_LAYER_UNPACKED_SIZE: size
      })
      const bundle = newBundle(place, 'two', { ...xfs, SIZE_FACTOR: '0.2' })
      expect(bundle.call('pre-extract', of(String(2 ** 31))).status).toBe(1)
      const target = bundle.must('pre-extract', of('1000'))
      // and the volume has grown with the image
      expect(
        Number(ok('df', '--output=size', '-B1', target).stdout.split('\n')[1])
      ).toBeGreaterThan(350e6)
      bundle.must('abort')
    })

    test('of two that commit one layer, one is left', () => {
      const place = newPlace()
      const bundle = newBundle(place)
      bundle.must('prepare')
      const staged = [stage(bundle), stage(bundle)]
      const targets = staged.map((target) => commit(bundle, target))
      expect(targets[0]).toBe(targets[1])
      expect(names(place)).toEqual(['debian-12-1'])
    })

    test('an unmounted bundle is inactive, and shows the same when it is mounted', () => {
      const place = newPlace()
      const bundle = newBundle(place)
      bundle.unpack([base])
      writeFileSync(join(bundle.rootfs, 'mine'), 'mine')
      for (const verb of ['umount', 'umount']) bundle.must(verb)
      expect(place.lvm.volumes()['debian-12-1+1']!.loop).toBeUndefined()
      expect(readdirSync(bundle.rootfs)).toEqual([])
      rmSync(bundle.rootfs, { recursive: true })
      for (const verb of ['mount', 'mount']) bundle.must(verb)
      expect(readFileSync(join(bundle.rootfs, 'mine'), 'utf8')).toBe('mine')
      bundle.must('umount')
      deletedAgainAndAgain(bundle)
    })

    test('what is mounted in a rootfs is not deleted with it', () => {
      const place = newPlace()
      const bundle = newBundle(place, 'sp ace\\040')
      bundle.unpack([small])
      const point = join(bundle.rootfs, 'there')
      mkdirSync(point)
      ok('mount', '-t', 'tmpfs', 'tmpfs', point)
      try {
        expect(bundle.call('delete')).toMatchObject({
          status: 1,
          stderr: `Something is mounted in ${bundle.rootfs}\n`
        })
      } finally {
        ok('umount', point)
      }
      bundle.must('delete')
      expect(names(place)).toEqual(['debian-12-1'])
    })

    test('gc removes images that nobody needs, and what dead processes staged, and takes nothing from a bundle', () => {
      const place = newPlace()
      const bundle = newBundle(place)
      bundle.unpack([base, second])
      bundle.callAsDead('pre-extract', environmentOf([small], 0))
      place.lvm.addForeign('theirs', ['oci-unpack:image=feed'])
      expect(bundle.must('gc', { OCI_UNPACK_LIVE_KEYS: base.key })).toBe(
        `{"removed": ["${second.key}"]}`
      )
      expect(names(place)).toEqual(['debian-12-1+1', `layer-${hex(base).slice(0, 32)}`, 'theirs'])
      expect(readdirSync(join(bundle.store, 'images'))).toEqual([hex(base)])
      expect(existsSync(join(bundle.rootfs, 'added'))).toBe(true)
      expect(bundle.must('gc', { OCI_UNPACK_LIVE_KEYS: base.key })).toBe('{"removed": []}')
    })

    test('a bundle whose unpack was killed after its rootfs was shown is told by recover', () => {
      const place = newPlace()
      const bundle = newBundle(place)
      bundle.unpack([small])
      writeFileSync(join(bundle.state, 'unfinished'), '')
      expect(bundle.run('recover', '--remove')).toEqual([`unfinished ${bundle.bundle}`])
      expect(names(place)).toEqual(['debian-12-1', 'debian-12-1+1'])
    })

    /** The set as it is shipped, with these settings. */
    function setIn({ home, lvm }: Place, settings: Record<string, string>): string {
      cpSync(hooks, join(home, 'set'), { recursive: true })
      const file = join(home, 'set/hooks.toml')
      const env = { ...lvm.env, STORE: join(home, 'store'), DATA_FLOOR: '1M', ...settings }
      const rest = readFileSync(file, 'utf8').replace(
        new RegExp(`^(?:${Object.keys(env).join('|')}) = .*\n`, 'gm'),
        ''
      )
      const lines = Object.entries(env).map(([key, value]) => `${key} = "${value}"`)
      writeFileSync(file, rest.replace('[env]', ['[env]', ...lines].join('\n')), { mode: 0o600 })
      return file
    }

    // each base of xfs has a log of 64 MiB, which the model copies
    test.each([
      ['ext4', '32M', {}, [...IMAGES, 'delta-list'].sort()],
      ['xfs', '320M', { cases: ['cold unpack', NO_MOUNT, 'delete'] }, []]
    ])('passes the kit with %s, which leaves nothing behind', async (FS, floor, cases, others) => {
      const place = newPlace()
      const report = await testIn(place.home, setIn(place, { FS, SIZE_FLOOR: floor }), cases)
      expect(notPassed(report)).toEqual(others)
      expect(leftBehind(place.home)).toEqual([])
      const left = Object.values(place.lvm.volumes()).map(({ tags }) => tags[1]!)
      expect(left.filter((tag) => !tag.startsWith('oci-unpack:image='))).toEqual([])
      expect(readdirSync(join(place.home, 'store/staged'))).toEqual([])
    })

    test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
      'killed after call %i to LVM, nothing is lost, untagged or half-filled',
      (call) => {
        const place = newPlace()
        const kept = newBundle(place, 'kept')
        kept.unpack([small])
        writeFileSync(join(kept.rootfs, 'mine'), 'mine')
        const before = place.lvm.volumes()
        const bundle = newBundle(place, 'killed')
        place.lvm.killAt(-call)
        expect(() => bundle.unpack([base, second])).toThrow()
        place.lvm.killAt(0)
        expect(place.lvm.volumes()).toMatchObject(before)
        for (const { tags } of Object.values(place.lvm.volumes())) {
          expect(tags[0]).toBe('oci-unpack')
          expect(tags.length).toBeGreaterThan(1)
        }
        // the engine of the dead one is this process, so only its bundle tells what to undo
        bundle.must('abort')
        const committed = Object.keys(place.lvm.volumes()).length - Object.keys(before).length
        expect(bundle.unpack([base, second]).extracted).toHaveLength(2 - committed)
        expect(readdirSync(join(bundle.store, 'staged'))).toEqual([])
        expect(existsSync(join(bundle.rootfs, 'untouched/deep/file'))).toBe(true)
        expect(existsSync(join(bundle.rootfs, 'written-3'))).toBe(false)
        expect(readFileSync(join(kept.rootfs, 'mine'), 'utf8')).toBe('mine')
        expect(names(place)).toHaveLength(5)
      }
    )
  }
)
