/** The sets in the hands of an ordinary user: the whole life of a bundle, in a user namespace. */
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync
} from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ociUnpackCommand } from '../e2e/cli.ts'
import { buildImage } from '../support/image-builder.ts'
import { mountNew, requirementsOf, type Mounted } from '../support/loop.ts'
import { makeUser, removeUser, USER_TOOLS, type OrdinaryUser } from '../support/ordinary-user.ts'
import { needs } from '../support/requires.ts'
import { expectOk, ok, type Run } from '../support/run.ts'
import { directory, file, symlink, tar } from '../support/tar-builder.ts'

const hooks = new URL('../../hooks/', import.meta.url).pathname

const LOWER = tar(
  directory('etc/'),
  file('etc/gone', 'a'),
  file('etc/theirs', 'b', { uid: 33, gid: 44, mode: 0o600 }),
  directory('opaque/', { uid: 5, gid: 6 }),
  file('opaque/below', 'c'),
  file('tool', 'd', {
    mode: 0o755,
    pax: { 'SCHILY.xattr.security.capability': `\x01\0\0\x02\0\x20${'\0'.repeat(14)}` }
  }),
  symlink('link', 'tool', { uid: 7, gid: 8 })
)
const UPPER = tar(
  directory('etc/'),
  file('etc/.wh.gone'),
  directory('opaque/', { uid: 5, gid: 6 }),
  file('opaque/.wh..wh..opq'),
  file('opaque/above', 'e', { uid: 9, gid: 9 })
)

/** `%p %u:%g` of everything, as it is seen inside. */
const TREE = [
  ' 0:0',
  'etc 0:0',
  'etc/theirs 33:44',
  'link 7:8',
  'opaque 5:6',
  'opaque/above 9:9',
  'tool 0:0'
]

interface Way {
  name: string
  set: 'overlay' | 'pool'
  file: string
  /** What starts a session in which everything is done. */
  session: readonly [string, ...string[]]
  flag: readonly string[]
}

const UNSHARE = ['unshare', '-Ur', '--map-auto'] as const

const WAYS: readonly Way[] = [
  {
    name: 'overlay, in a session with its own mounts',
    set: 'overlay',
    file: 'hooks-userxattr.toml',
    session: [...UNSHARE, '-m'],
    flag: []
  },
  { name: 'pool, in a session', set: 'pool', file: 'hooks.toml', session: UNSHARE, flag: [] },
  {
    name: 'pool, with --userns',
    set: 'pool',
    file: 'hooks.toml',
    session: ['env'],
    flag: ['--userns']
  }
]

const tools = [...USER_TOOLS, ...requirementsOf('ext4'), 'overlay', 'getcap', 'findmnt', 'getfattr']

describe.runIf(needs(...tools)).each(WAYS)('an ordinary user, $name', (way) => {
  let user: OrdinaryUser
  let disk: Mounted

  beforeEach(() => {
    user = makeUser()
    disk = mountNew('ext4')
    for (const path of [disk.path, `${disk.path}/..`]) chmodSync(path, 0o755)
    chownSync(disk.path, user.uid, user.gid)
    cpSync(`${hooks}${way.set}`, `${user.home}/set`, { recursive: true })
    setStore()
    mkdirSync(`${user.home}/images`)
    buildImage(`${user.home}/images/all`, { layers: [LOWER, UPPER] })
    ok('cp', '-r', `${user.home}/images/all`, `${user.home}/images/none`)
    writeFileSync(`${user.home}/images/none/index.json`, '{"schemaVersion":2,"manifests":[]}')
    ok('chown', '-R', `${user.uid}:${user.gid}`, `${user.home}/set`, `${user.home}/images`)
  })
  afterEach(() => {
    disk.release()
    removeUser(user)
  })

  /** The overlay set finds its own place; the other is told. */
  function setStore(): void {
    const toml = `${user.home}/set/${way.file}`
    const text = readFileSync(toml, 'utf8')
    writeFileSync(toml, text.replace(/^POOL = .*$/m, `POOL = "${disk.path}/oci-unpack/pool"`))
  }

  /** The script in one session, with `our COMMAND …` for the program and `inside COMMAND …` for a look at its files. */
  function session(script: string): Run {
    const ours = [...ociUnpackCommand, ...way.flag].join(' ')
    const look = way.flag.length === 0 ? '' : UNSHARE.join(' ')
    const prelude =
      `our() { ${ours} "$@"; }; with="--hooks set/${way.file}"; image=images/all\n` +
      `inside() { ${look} "$@"; }\n`
    const env = `XDG_DATA_HOME=${disk.path}`
    return user.run('env', env, ...way.session, 'sh', '-euc', prelude + script)
  }

  const must = (script: string): string[] =>
    expectOk(session(script), script).stdout.trimEnd().split('\n')

  const LIST = `inside find "$bundle/rootfs" -printf '%P %U:%G\\n' | LC_ALL=C sort`

  test('lives through unpack, edit, repack, unpack, collection and deletion', () => {
    const lines = must(`
      our unpack $with --trace cold --image $image:latest one
      bundle=one; ${LIST}
      inside getcap one/rootfs/tool
      our diff one; echo ==
      inside sh -c 'echo more >>one/rootfs/etc/theirs; rm -r one/rootfs/opaque; mkdir one/rootfs/opaque'
      our repack $with --image $image:edited one
      our unpack $with --trace warm --image $image:edited two
      bundle=two; ${LIST}
      our diff two; echo ==
      grep -c pre-extract cold warm
      our hooks gc $with --layout images/all
      our bundle delete $with one
      our bundle delete $with two
      our hooks gc $with --layout images/none
      ls; find '${disk.path}/oci-unpack' -mindepth 3
    `)
    const edited = TREE.filter((line) => !line.startsWith('opaque'))
    expect(lines).toEqual([
      ...TREE,
      'one/rootfs/tool cap_net_raw=ep',
      '==',
      ...[...edited, 'opaque 0:0'].sort(),
      '==',
      'cold:2',
      'warm:1',
      `${way.set}: 0 layers removed, 3 layers needed`,
      `${way.set}: 3 layers removed, 0 layers needed`,
      'cold',
      'images',
      'set',
      'warm'
    ])
  })

  test('refuses hooks that another user could change', () => {
    const file = `${user.home}/set/${way.file}`
    ok('chown', 'daemon', file)
    const { status, stderr } = session('our unpack $with --image $image:latest one')
    expect(status).toBe(1)
    expect(stderr).toMatch(/\[HOOKS_UNSAFE\]\n[^]* path: .*\.toml\n +reason: its owner has no id/)
  })

  if (way.flag.length > 0)
    test('states owners as they are outside, whatever the cache knows from inside', () => {
      must(`inside ${ociUnpackCommand.join(' ')} unpack $with --image $image:latest one`)
      must('our unpack $with --image $image:latest two')
      const [manifest] = readdirSync(`${user.home}/two`).filter((name) => name.endsWith('.mtree'))
      const theirs = `theirs .*uid=${user.subuid + 32} gid=${user.subgid + 43} `
      expect(readFileSync(`${user.home}/two/${manifest!}`, 'utf8')).toMatch(new RegExp(theirs))
    })

  if (way.set !== 'overlay') return
  test('mounts a bundle again in the next session', () => {
    must('our unpack $with --image $image:latest one; echo x >one/rootfs/new')
    const { status, stderr } = session('our diff one')
    expect([status, stderr.split('\n')[0]]).toEqual([
      1,
      'oci-unpack: The root file system of the bundle is not mounted. [BUNDLE_INVALID]'
    ])
    expect(must('our bundle mount $with one; our diff one')).toContain('+ new')
    const removed = must('our bundle delete $with one; ls; our hooks gc $with --layout images/all')
    expect(removed).toEqual(['images', 'set', 'overlay: 0 layers removed, 2 layers needed'])
  })
})

describe.runIf(needs(...USER_TOOLS, 'getfattr'))('an ordinary user, pool, rootless', () => {
  let user: OrdinaryUser

  beforeEach(() => {
    user = makeUser()
    cpSync(`${hooks}pool`, `${user.home}/set`, { recursive: true })
    const toml = `${user.home}/set/hooks.toml`
    const text = readFileSync(toml, 'utf8')
    writeFileSync(toml, text.replace(/^POOL = .*$/m, `POOL = "${user.home}/store"`))
    const closed = tar(directory('closed/', { mode: 0o555 }), file('closed/file', 'x'))
    buildImage(`${user.home}/images`, { layers: [LOWER, UPPER, closed] })
    ok('chown', '-R', `${user.uid}:${user.gid}`, `${user.home}/set`, `${user.home}/images`)
  })
  afterEach(() => removeUser(user))

  test('lives through unpack, repack, collection and deletion, with layers of its own', () => {
    const our = ociUnpackCommand.join(' ')
    const list = (bundle: string): string =>
      `(cd ${bundle}/rootfs; find . -printf '%p %m %l\\n' | LC_ALL=C sort; getfattr -Rd -m- . 2>/dev/null)`
    const script = `
      with='--hooks set/hooks.toml'
      ${our} unpack --rootless --image images plain
      ${our} unpack --rootless $with --trace cold --image images one
      ${our} unpack --rootless $with --trace warm --image images two
      for b in plain one two; do ${list('$b')} >$b.list; done
      cmp plain.list one.list; cmp plain.list two.list
      grep -c pre-extract cold warm || :
      test ! -e store/images; ls store/rootless/images | wc -l
      ${our} diff one; touch -h -d @9 one/rootfs/link
      ${our} repack $with --image images:edited one
      ${our} file list --json --image images:edited link | grep -o '"[ug]id":[0-9]*'
      ${our} bundle delete $with one
      ${our} remove --image images; ${our} remove --image images:edited; ${our} gc --layout images
      ${our} bundle delete $with two; ${our} bundle delete plain
      ${our} hooks gc $with --layout images
      find store -mindepth 3`
    const { stdout } = expectOk(user.run('sh', '-euc', script), script)
    expect(stdout.trim().split('\n')).toEqual([
      'cold:3',
      'warm:0',
      '3',
      '"uid":7',
      '"gid":8',
      'pool: 3 layers removed, 0 layers needed'
    ])
  })
})
