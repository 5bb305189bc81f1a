/** `bundle upgrade` with each set of hooks, with id maps, rootless and in a user namespace; whole, and killed on the way. */
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { shippedSet } from '../conformance/kit.ts'
import { contents, identities } from '../engine/upgrade/bundles.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage } from '../support/image-builder.ts'
import {
  makeWithin,
  mountNew,
  requirementsOf,
  type FileSystem,
  type Mounted
} from '../support/loop.ts'
import { makeUser, removeUser, USER_TOOLS, type OrdinaryUser } from '../support/ordinary-user.ts'
import { needs } from '../support/requires.ts'
import { expectOk, ok, run, type Run } from '../support/run.ts'
import { directory, file, hardlink, symlink, tar, type Entry } from '../support/tar-builder.ts'
import { ociUnpackCommand } from './cli.ts'

const BASE: Entry[] = [
  directory('etc/'),
  file('etc/mine', 'old'),
  file('etc/both', 'old'),
  file('etc/gone', 'old'),
  file('etc/lost', 'old'),
  file('etc/theirs', 'old', { uid: 5, gid: 6, mode: 0o640 }),
  directory('data/', { mode: 0o750, uid: 3 }),
  file('data/one', '1', { uid: 3, pax: { 'SCHILY.xattr.user.a': 'b' } }),
  hardlink('data/two', 'data/one'),
  directory('tree/'),
  file('tree/leaf', 'leaf'),
  directory('dropped/'),
  file('dropped/leaf', 'leaf'),
  symlink('link', 'etc')
]
/** squashfs tells of attributes only if it has any. */
const NOTED = { pax: { 'SCHILY.xattr.user.a': 'c' } }
const OLD = [tar(...BASE), tar(file('upper', 'old', NOTED), file('etc/hidden', 'old'))]
const NEW = [
  tar(...BASE),
  tar(
    file('etc/both', 'new'),
    file('etc/lost', 'new'),
    file('etc/theirs', 'new', { uid: 5, gid: 6, mode: 0o640 }),
    file('etc/fresh', 'new', NOTED),
    file('.wh.dropped')
  ),
  tar(file('etc/.wh.hidden'), file('upper', 'new', NOTED))
]

/** What an administrator does. */
const EDIT = `
  cd "$1"
  echo mine >etc/mine
  echo mine >etc/both
  rm etc/gone etc/lost
  chmod 700 data
  rm -r tree && echo file >tree
  mkdir -p srv/deep && echo a >srv/deep/a && ln srv/deep/a srv/deep/b && ln -s deep srv/link
  truncate -s 1M srv/sparse && printf end >>srv/sparse
  echo stays >dropped/stays
  find . -uid 0 -exec chown -h "$2" {} +
`

/** What has to come of it, done to the tree of the new image by copies: $1 is the expected tree, $2 the old one. */
const EXPECT = `
  cd "$1"
  mv etc/both etc/both.orig
  for path in etc/mine etc/both srv; do cp -a "$2/$path" "$path.copy"; rm -rf "$path"; mv "$path.copy" "$path"; done
  rm etc/gone
  chmod 700 data
  rm -r tree && cp -a "$2/tree" tree
  mkdir dropped && cp -a "$2/dropped/stays" dropped && chown --reference="$2/dropped" dropped && chmod --reference="$2/dropped" dropped
`
const RULES = ['--conflicts', 'new', '--conflicts', 'both:etc/both']

interface Way {
  name: string
  type: FileSystem
  needs?: string[]
  set?: string
  env?: Record<string, string>
  /** Of \`unpack\`; an upgrade takes them from the old bundle. */
  flags?: string[]
  /** An ordinary user, in a user namespace that lasts for one command. */
  isUser?: true
}

const MAPS = ['--uid-map=0:100000:65536', '--gid-map=0:200000:65536']
const WAYS: Way[] = [
  { name: 'no hooks', type: 'ext4' },
  { name: 'id maps', type: 'ext4', flags: MAPS },
  { name: 'a lazy tree manifest', type: 'ext4', flags: ['--manifest=lazy'] },
  { name: 'rootless', type: 'ext4', flags: ['--rootless'] },
  { name: 'overlay', type: 'ext4', set: 'overlay', needs: ['overlay'] },
  { name: 'pool on btrfs', type: 'btrfs', set: 'pool' },
  { name: 'pool on ext4', type: 'ext4', set: 'pool' },
  { name: 'pool on ext4, rootless', type: 'ext4', set: 'pool', flags: ['--rootless'] },
  { name: 'erofs', type: 'ext4', set: 'erofs', needs: ['erofs', 'overlay'] },
  { name: 'squashfs', type: 'ext4', set: 'squashfs', needs: ['mksquashfs', 'overlay'] },
  { name: 'a user namespace', type: 'ext4', isUser: true },
  { name: 'pool in a user namespace', type: 'xfs', set: 'pool', isUser: true }
]

for (const way of WAYS)
  describe.runIf(isUsable(way))(`an upgrade with ${way.name}`, { timeout: 300_000 }, () =>
    testUpgrades(way)
  )

function isUsable(way: Way): boolean {
  return needs(
    ...['root', 'python3', 'setfattr', ...requirementsOf(way.type), ...(way.needs ?? [])],
    ...(way.isUser === true ? USER_TOOLS : [])
  )
}

function testUpgrades(way: Way): void {
  let disk: Mounted
  let user: OrdinaryUser | undefined
  let work: string
  let hooks: string[]
  let old: string
  let before: string[]

  /** Runs a program as whoever has the bundles, with the owners of the bundles. */
  const start = (...command: [string, ...string[]]): Run =>
    user === undefined ? run(...command) : user.run('unshare', '-Ur', '--map-auto', ...command)
  const program = (...args: string[]): Run => start(...ociUnpackCommand, ...args)
  const programOk = (...args: string[]): Run => expectOk(program(...args), args.join(' '))
  const upgrade = (image: string, to: string): string[] => [
    ...['bundle', 'upgrade', ...hooks, ...RULES],
    ...['--image', `${work}/layout:${image}`, old, `${work}/${to}`]
  ]

  beforeAll(() => {
    disk = mountNew(way.type)
    user = way.isUser === true ? makeUser() : undefined
    work = makeWithin(disk)
    ok('chmod', '755', disk.path)
    for (const [tag, layers] of Object.entries({ old: OLD, new: NEW }))
      buildImage(`${work}/${tag}`, { layers, tag })
    for (const tag of ['old', 'new'])
      ok(...ociUnpackCommand, 'copy', `${work}/${tag}:${tag}`, `${work}/layout:${tag}`)
    hooks = way.set === undefined ? ['--no-hooks'] : ['--hooks', shippedSet(way.set, work, way.env)]
    if (user !== undefined) ok('chown', '-R', `${user.uid}:${user.gid}`, work)
    old = `${work}/bundle`
    const flags = way.flags ?? []
    programOk('unpack', ...hooks, ...flags, '--image', `${work}/layout:old`, old)
    programOk('unpack', '--no-hooks', ...flags, '--image', `${work}/layout:new`, `${work}/expected`)
    const root = flags === MAPS ? '100000:200000' : '0:0'
    expectOk(start('sh', '-ec', EDIT, 'sh', `${old}/rootfs`, root), 'EDIT')
    expectOk(start('sh', '-ec', EXPECT, 'sh', `${work}/expected/rootfs`, `${old}/rootfs`), 'EXPECT')
    before = state(old)
  }, 120_000)
  afterAll(() => {
    for (const name of ['bundle', 'made', 'again', 'third'])
      if (existsSync(`${work}/${name}`)) program('bundle', 'delete', ...hooks, `${work}/${name}`)
    if (user !== undefined) removeUser(user)
    disk.release()
  })

  /** Without what hooks note for themselves. overlayfs over squashfs makes up new numbers of inodes. */
  function state(bundle: string): string[] {
    const made = identities(bundle).filter((line) => !/\/\.oci-unpack( |\/now)/.test(line))
    const shown = way.set === 'squashfs' ? made.map((line) => line.replace(/ \d+/, '')) : made
    return [...shown, ...contents(`${bundle}/rootfs`)]
  }

  /** What is in a directory decides about its time. */
  function differences(made: string): string[] {
    return compareTrees(`${work}/expected/rootfs`, `${work}/${made}/rootfs`).filter((line) => {
      const [path, field] = line.split(': ')
      const isDirectory = lstatSync(`${work}/${made}/rootfs/${path!}`, {
        throwIfNoEntry: false
      })?.isDirectory()
      return !(isDirectory === true && field!.startsWith('mtime'))
    })
  }

  test('makes exactly the tree of both, and leaves the old bundle as it was', () => {
    const { stdout } = programOk(...upgrade('new', 'made'))
    expect(stdout.split('\n')).toEqual([
      'C etc/both (modified in the bundle, modified in the image): both: etc/both.orig',
      'C etc/lost (deleted in the bundle, modified in the image): new',
      ''
    ])
    expect(differences('made')).toEqual([])
    expect(state(old)).toEqual(before)
    expect(lstatSync(`${work}/made/rootfs/srv/sparse`).blocks).toBeLessThan(256)
  })

  test('has what it carried over as local changes', () => {
    const paths = programOk('diff', '--no-mask-volumes', `${work}/made`).stdout.split('\n')
    expect(paths.map((line) => line.split(' (')[0]!)).toEqual([
      'M data',
      '+ dropped',
      '+ dropped/stays',
      'M etc/both',
      '+ etc/both.orig',
      '- etc/gone',
      'M etc/mine',
      '+ srv',
      '+ srv/deep',
      '+ srv/deep/a',
      '+ srv/deep/b',
      '+ srv/link',
      '+ srv/sparse',
      'M tree',
      ''
    ])
  })

  test('can be upgraded once more, to the same tree', () => {
    const args = upgrade('new', 'third').map((arg) => (arg === old ? `${work}/made` : arg))
    expect(programOk(...args).stdout).toBe('')
    expect(differences('third')).toEqual([])
  })

  test('killed at any event leaves the old bundle as it was, and the new one whole or absent', () => {
    const counter = `${work}/count`
    const script = killingScript(hooks[1], counter, old, `${work}/layout:new`, `${work}/again`)
    let kills = 0
    for (let nth = 1; ; nth += 3) {
      const { status, stderr } = start(
        ...([process.execPath, '--input-type=module', '-e', script, String(nth)] as const)
      )
      expect(state(old)).toEqual(before)
      if (existsSync(`${work}/again/umoci.json`) && !isUnfinished())
        expect(differences('again')).toEqual([])
      else expect(status).not.toBe(0)
      if (status === 0) break
      expect(stderr).toBe('')
      kills++
    }
    expect(kills).toBeGreaterThan(3)
    expect(readFileSync(counter, 'utf8')).toContain('join')
  })

  function isUnfinished(): boolean {
    return existsSync(`${work}/again/.oci-unpack/unfinished`)
  }
}

/** Ends itself at the event of this number. Where an earlier one has made the bundle, it is done. */
function killingScript(
  hooks: string | undefined,
  counter: string,
  bundle: string,
  image: string,
  destination: string
): string {
  const index = new URL('../../dist/index.js', import.meta.url).href
  const options = {
    ...{ bundle, image, destination, conflicts: ['new', 'both:etc/both'], jobs: 0 },
    ...(hooks === undefined ? {} : { hooks: { file: hooks } })
  }
  return `
    import { appendFileSync } from 'node:fs'
    import { upgradeBundle } from '${index}'
    let left = Number(process.argv[1])
    const onEvent = (event) => {
      if (event.type === 'progress') return
      appendFileSync(${JSON.stringify(counter)}, event.type + ' ' + (event.phase ?? '') + '\\n')
      if (--left === 0) process.kill(process.pid, 'SIGKILL')
    }
    try {
      await upgradeBundle({ ...${JSON.stringify(options)}, onEvent })
    } catch (error) {
      if (error.code !== 'BUNDLE_EXISTS') throw error
    }
  `
}
