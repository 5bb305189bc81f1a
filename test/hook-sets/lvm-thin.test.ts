/**
 * What the set lvm-thin calls its volumes, what it tells LVM, and what it refuses, with a model of LVM (programs/lvm-model.mjs):
 * volumes are files and their snapshots copies, while file systems, mounts and the set are real. lvm-thin.long.test.ts has the
 * rest, and test/vm/lvm-thin.sh tests the set with LVM and the kernel's thin volumes.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { requirementsOf } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { commit, hex, names, newBundle, places, REQUIREMENTS, second, stage } from './lvm-places.ts'
import { environmentOf } from './set-driver.ts'
import { base, small } from './store-cases.ts'

const program = new URL('../../hooks/lvm-thin/lvm-thin', import.meta.url).pathname

/** What the tests of RPM say of its versions: the first of a line is older, with < between them, or equal. */
const ORDER = `
  1.0 = 1.0            1.0 < 2.0             2 < 13                2.0.1 < 2.0.1a
  5.5p1 < 5.5p2        5.5p1 < 5.5p10        10xyz < 10.1xyz       xyz10 < xyz10.1
  xyz.4 < 8            xyz.4 < 2             5.5p2 < 5.6p1         5.6p1 < 6.5p1
  6.0 < 6.0.rc1        10a2 < 10b2           1.0a < 1.0aa          10.0001 = 10.1
  10.0001 < 10.0039    4.999.9 < 5.0         20101121 < 20101122   2_0 = 2.0
  a+ = a_              +_ = _+               + = _                 A1 < a
  1.0~rc1 = 1.0~rc1    1.0~rc1 < 1.0         1.0~rc1 < 1.0~rc2     1.0~rc1~git123 < 1.0~rc1
  1.0 < 1.0^           1.0 < 1.0^git1        1.0^git1 < 1.0^git2   1.0^git1 < 1.01
  1.0^20160101 < 1.0.1 1.0^20160101 < 1.0^20160101^git1            1.0^20160101^git1 < 1.0^20160102
  1.0~rc1 < 1.0~rc1^git1                     1.0^git1~pre < 1.0^git1
  1.0~rc1^git1 < 1.0   debian-12-2+1 < debian-12-13+1              debian-12-2+2 < debian-12-2+13
  99999999999999999999 < 100000000000000000000                     007 = 7`

test.runIf(needs('dash'))('names are sorted as RPM sorts versions', () => {
  const pairs = [...ORDER.matchAll(/(\S+) ([<=]) (\S+)/g)]
  expect(pairs.length).toBeGreaterThan(40)
  const script =
    'program=$1; shift; while [ $# -gt 0 ]; do printf "%s\\n%s\\n" "$1" "$2" | "$program" order | tr "\\n" " "; echo; shift 2; done'
  const sort = (names: string[]): string[] =>
    ok('dash', '-c', script, 'dash', program, ...names)
      .stdout.split('\n')
      .slice(0, -1)
      .map((line) => line.trim())
  const written = (name: string): string =>
    name.replace(/[~^]/g, (char) => `_${char.charCodeAt(0).toString(16)}`)
  const older = pairs.map(([, one]) => written(one!))
  const newer = pairs.map(([, , , other]) => written(other!))
  const inOrder = pairs.map((_pair, at) => `${older[at]!} ${newer[at]!}`)
  const reversed = pairs.map(([, , sign], at) =>
    sign === '=' ? `${newer[at]!} ${older[at]!}` : inOrder[at]!
  )
  expect(sort(pairs.flatMap((_pair, at) => [older[at]!, newer[at]!]))).toEqual(inOrder)
  expect(sort(pairs.flatMap((_pair, at) => [newer[at]!, older[at]!]))).toEqual(reversed)
})

describe.runIf(needs(...REQUIREMENTS, ...requirementsOf('ext4')))('the set lvm-thin', () => {
  const newPlace = places()

  /** Without what is made up. */
  const masked = (word: string): string =>
    word.replace(/owner-[\w-]+(\.\w+)?|(?<=instance=)\w+/, '*')

  test('volumes bear their tags from the call that makes them, and are finished by a change of tags', () => {
    const place = newPlace()
    newBundle(place).unpack([base, second])
    const vg = place.lvm.env.VG
    const changes = place.lvm.calls().filter(([command]) => command !== 'lvs')
    const make = (name: string, ...tags: string[]): string[] =>
      ['lvcreate', '--yes', '--name', name, '--addtag', 'oci-unpack', '--addtag', tags[0]!].concat(
        ['--permission', 'rw', '--setactivationskip', 'y', '--ignoreactivationskip'],
        tags.slice(1).flatMap((tag) => ['--addtag', tag])
      )
    const lower = `layer-${hex(base).slice(0, 32)}`
    const select = ['--select', 'lv_tags={"oci-unpack"}']
    const committed = (name: string, key: string): string[][] => [
      ['lvchange', '--yes', '--permission', 'r', '--activate', 'n', ...select, `${vg}/*`],
      ['lvrename', vg, '*', name],
      ['lvchange', '--yes', '--deltag', 'oci-unpack:staged=*', '--addtag'].concat(
        `oci-unpack:image=${key}`,
        select,
        `${vg}/${name}`
      )
    ]
    expect(changes.map((words) => words.map(masked))).toEqual([
      [...make('*', 'oci-unpack:staged=*'), '--type', 'thin'].concat([
        '--virtualsize',
        '58m',
        '--thinpool',
        `${vg}/pool`
      ]),
      ...committed(lower, hex(base)),
      [...make('*', 'oci-unpack:staged=*'), '--type', 'thin', `${vg}/${lower}`],
      ...committed('debian-12-1', hex(second)),
      [
        ...make('debian-12-1+1', 'oci-unpack:instance=*', 'oci-unpack:showing=*'),
        ...['--type', 'thin', `${vg}/debian-12-1`]
      ],
      ['lvchange', '--yes', '--deltag', 'oci-unpack:showing=*', ...select, `${vg}/debian-12-1+1`]
    ])
  })

  test('a base is read-only, never activated by itself, and inactive', () => {
    const place = newPlace()
    newBundle(place).unpack([small])
    const { loop, ...rest } = place.lvm.volumes()['debian-12-1']!
    expect(loop).toBeUndefined()
    expect(rest).toMatchObject({ readOnly: true, skip: true })
    expect(place.lvm.volumes()['debian-12-1+1']).toMatchObject({ readOnly: false, skip: true })
  })

  test('the next number follows the last one, whoever has that', () => {
    const place = newPlace()
    for (const name of [
      'debian-12-2',
      'debian-12-13',
      'debian-12-13+9',
      'debian-12-x',
      'debian-120-99'
    ])
      place.lvm.addForeign(name)
    for (const name of ['one', 'two']) newBundle(place, name).unpack([small])
    expect(
      newBundle(place)
        .run('list')
        .map((line) => line.split(' ')[0])
    ).toEqual(['debian-12-14', 'debian-12-14+1', 'debian-12-14+2'])
  })

  test('names follow the scheme, and have nothing in them that LVM refuses', () => {
    const name = (env: Record<string, string>): string => {
      const place = newPlace()
      const bundle = newBundle(place, 'one', env)
      commit(bundle, (bundle.must('prepare'), stage(bundle)))
      return names(place)[0]!
    }
    expect(name({ NAMES: 'node.{digest}' })).toBe('node.0123456789ab')
    expect(name({ NAMES: '{tag}.r{number}.x' })).toBe('12.r1.x')
    const odd = { OCI_UNPACK_LAYOUT: '/x/-o dd_\u00fc/', OCI_UNPACK_REFERENCE: '1.0~rc1+{number}' }
    const scheme = { NAMES: 'b.{layout}-{tag}-{number}' }
    expect(name({ ...scheme, ...odd })).toBe('b.-o_20dd_5f_c3_bc-1.0_7erc1_2b_7bnumber_7d-1')
    expect(name({ OCI_UNPACK_REFERENCE: '' })).toBe('debian-untagged-1')
    expect(name({ OCI_UNPACK_LAYOUT: '/x/-v' })).toBe('_2dv-12-1')
    expect(name({ OCI_UNPACK_LAYOUT: '/x/snapshots' })).toBe('_73napshots-12-1')
  })

  test.each([
    ['{layout}', '{number} or {digest} must be in it'],
    ['{name}-{number}', 'only {layout}, {tag}, {digest} and one {number}'],
    ['{number}-{number}', 'only {layout}, {tag}, {digest} and one {number}'],
    ['a b{number}', 'only {layout}, {tag}, {digest} and one {number}'],
    [`${'x'.repeat(90)}-{number}`, 'too long for LVM']
  ])('the scheme %s is refused before anything is made', (scheme, why) => {
    const place = newPlace()
    const { status, stderr } = newBundle(place, 'one', { NAMES: scheme }).call('prepare')
    expect([status, stderr]).toEqual([1, expect.stringContaining(why)])
  })

  test('what the pool cannot hold is refused before anything is made, and the shortfall named', () => {
    const place = newPlace()
    const bundle = newBundle(place)
    bundle.must('prepare')
    const refused = (size: string, index = 0): string => {
      const sizes = { OCI_UNPACK_UNPACKED_SIZE: size, OCI_UNPACK_LAYER_UNPACKED_SIZE: size }
      const env = { ...environmentOf([small, second], index), ...sizes }
      const { status, stderr } = bundle.call('pre-extract', env)
      expect(status).toBe(1)
      return stderr
    }
    expect(refused(String(3 * 2 ** 29))).toContain(
      'has 2.0GiB of data left, but 2.5GiB are needed: 1.5GiB for the image, and a floor of 1.0GiB. 512.0MiB are missing.'
    )
    place.lvm.changePool({ metadata_percent: '80.00' })
    expect(refused('0')).toContain(
      'has 12.9MiB of metadata left, but 16.0MiB are needed: 0.0B for the image, and a floor of 16.0MiB. 3.2MiB are missing.'
    )
    expect(bundle.call('prepare').stderr).toContain('3.2MiB are missing.')
    expect(names(place)).toEqual([])
    expect(readdirSync(join(bundle.store, 'staged'))).toEqual([])
  })

  test.each([
    [{ segtype: 'linear' }, 'is not a thin pool, but of type linear'],
    [{ zero: '' }, 'does not clear new chunks']
  ])('a pool that is not fit is refused: %o', (change, why) => {
    const place = newPlace()
    place.lvm.changePool(change)
    expect(newBundle(place).call('prepare').stderr).toContain(why)
  })

  test.each([
    [{ VG: 'none' }, 'VG is "none"'],
    [{ POOL: 'none' }, 'POOL is "none"'],
    [{ FS: 'btrfs' }, 'FS must be ext4 or xfs, not "btrfs"'],
    [{ SIZE_FACTOR: 'x' }, 'SIZE_FACTOR must be a number such as 1.5, not "x"'],
    [{ SIZE_FLOOR: 'much' }, 'SIZE_FLOOR must be a size such as 10G, not "much"'],
    [{ DATA_FLOOR: '-1' }, 'DATA_FLOOR must be a size such as 10G, not "-1"'],
    [{ STORE: 'relative' }, 'STORE must be an absolute path, not "relative"']
  ])('settings that cannot be used are refused at once: %o', (env, why) => {
    const bundle = newBundle(newPlace(), 'one', env)
    for (const point of ['check', 'prepare']) {
      const { status, stderr } = bundle.call(point)
      expect([status, stderr]).toEqual([1, expect.stringContaining(why)])
    }
    bundle.must('abort', { OCI_UNPACK_TARGETS: '' })
    expect(existsSync(bundle.store)).toBe(false)
  })

  test('a pool that is inactive is activated, because nothing is known of it before', () => {
    const place = newPlace()
    place.lvm.changePool({ data_percent: '' })
    newBundle(place).must('prepare')
    expect(newBundle(place).must('check')).toBe(
      '{"storage": "ext4 in thin volumes of VG/pool, which has 3.6GiB of data and 32.0MiB of metadata left"}'.replace(
        'VG',
        place.lvm.env.VG
      )
    )
  })

  test('recover lists what dead processes left, and removes that and nothing else', () => {
    const place = newPlace()
    const [bundle, dead, lost] = ['one', 'dead', 'lost'].map((name) => newBundle(place, name))
    for (const each of [bundle!, lost!]) each.unpack([small])
    const living = stage(bundle!)
    const left = dead!.callAsDead('pre-extract', environmentOf([base], 0)).stdout.trim()
    place.lvm.killAt(-1)
    dead!.callAsDead('finish', {
      OCI_UNPACK_LAYER_TARGETS: join(bundle!.store, 'images', hex(small))
    })
    place.lvm.addForeign('theirs', ['oci-unpack:staged=owner-dead.x'])
    rmSync(lost!.bundle + '/.oci-unpack/instance')
    const foreign = ['photos', 'owner-dead.photo', 'mine.photos']
    for (const name of foreign) mkdirSync(join(bundle!.store, 'staged', name))
    const leftovers = [`staged ${left.split('/').at(-1)!}`, 'instance debian-12-1+3']
    const all = [...leftovers, 'unclaimed debian-12-1+2']
    expect(bundle!.run('recover')).toEqual(all)
    expect(bundle!.run('recover')).toEqual(all)
    expect(bundle!.run('recover', '--remove')).toEqual(all)
    expect(bundle!.run('recover')).toEqual(['unclaimed debian-12-1+2'])
    const staged = living.split('/').at(-1)!
    expect(names(place)).toEqual(
      ['debian-12-1', 'debian-12-1+1', 'debian-12-1+2', staged, 'theirs'].sort()
    )
    expect(readdirSync(join(bundle!.store, 'staged')).sort()).toEqual([...foreign, staged].sort())
    expect(bundle!.call('recover', {}, '--all')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('Usage: lvm-thin recover [--remove]\n') as string
    })
    bundle!.must('abort')
  })
})
