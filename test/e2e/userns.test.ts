/** Bundles of --userns, with a real user and real subordinate ids, from inside the namespace and from outside. */
import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openLayout } from '../../src/store/layout.ts'
import { resolveImage } from '../../src/store/resolve.ts'
import { needs } from '../support/requires.ts'
import { expectOk, ok, type Run } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'
import { USERNS_TOOLS, UsernsBox } from './userns-box.ts'

describe.runIf(needs(...USERNS_TOOLS))('--userns', () => {
  let box: UsernsBox

  beforeEach(() => {
    box = new UsernsBox()
  })
  afterEach(() => box.remove())

  test('makes a bundle with real owners, and states them as they are outside', () => {
    box.unpack()
    const { uid, gid, subuid, subgid, home } = box.user
    expect(box.owners('etc/mine')).toBe(`${uid}:${gid}`)
    expect(box.owners('etc/theirs')).toBe(`${subuid + 32}:${subgid + 43}`)
    expect(box.owners('link')).toBe(`${subuid + 6}:${subgid + 7}`)
    expect(box.owners('fifo')).toBe(`${subuid + 65_534}:${subgid + 65_534}`)
    const capabilities = ok('getcap', '-n', `${box.bundle}/rootfs/ping`).stdout
    expect(capabilities).toContain(`[rootid=${uid}]`)
    const maps = (id: number, first: number): object[] => [
      { containerID: 0, hostID: id, size: 1 },
      { containerID: 1, hostID: first, size: 65_536 }
    ]
    expect(box.mapOptions()).toEqual({
      uid_mappings: maps(uid, subuid),
      gid_mappings: maps(gid, subgid),
      rootless: false
    })
    const linux = linuxIn(`${box.bundle}/config.json`)
    expect(linux).toMatchObject({ uidMappings: maps(uid, subuid), gidMappings: maps(gid, subgid) })
    expect(linux.namespaces).not.toContainEqual({ type: 'network' })
    expect(linux.resources).toBeUndefined()
    box.insideOk('raw', 'runtime-config', '--image', box.image, `${home}/runtime.json`)
    expect(linuxIn(`${home}/runtime.json`)).toEqual(linux)
  })

  test('sees no changes in an untouched bundle, inside and outside', () => {
    box.unpack()
    const rootfs = `${box.bundle}/rootfs`
    const manifest = readdirSync(box.bundle).find((name) => name.endsWith('.mtree'))!
    const validate = ['raw', 'mtree-validate', '--file', `${box.bundle}/${manifest}`]
    const looks: (() => Run)[] = [
      () => box.inside('diff', box.bundle),
      () => ociUnpack('diff', box.bundle),
      () => box.unshared(...ociUnpackCommand, 'diff', box.bundle),
      () => box.inside(...validate, '--path', rootfs),
      () => ociUnpack(...validate, '--path', rootfs)
    ]
    for (const look of looks) {
      box.forgetFingerprints()
      expect(look()).toEqual({ status: 0, stdout: '', stderr: '' })
    }
  })

  test('an edit becomes the same layer inside and outside, and umoci has the same owners', () => {
    box.unpack()
    const { layout, bundle } = box
    const edit =
      'cd bundle/rootfs; echo more >>etc/theirs; touch -d @5 etc/theirs; setfattr -n user.a -v 1 ping; ' +
      'chown 9:9 etc/mine; mkdir new; chown 12:13 new; touch -hd @7 new etc .; getcap ping'
    expect(box.unshared('sh', '-ec', edit).stdout).toBe('ping cap_net_raw=ep\n')
    box.forgetFingerprints()
    box.insideOk('repack', '--image', `${layout}:inside`, bundle)
    ociUnpackOk('repack', '--image', `${layout}:outside`, bundle)
    ok('umoci', 'repack', '--image', `${layout}:umoci`, bundle)
    const [base, own, ...others] = diffIds('inside')
    expect([base, ...others]).toEqual(diffIds('latest'))
    expect(diffIds('outside')).toEqual([base, own])
    const owners = ['etc/theirs 33:44', 'etc/mine 9:9', 'new 12:13', 'ping 0:0', 'closed 5:6']
    expect(ownersIn('inside')).toEqual(expect.arrayContaining(owners))
    expect(ownersIn('umoci')).toEqual(expect.arrayContaining(owners))
    expect(ok('getcap', '-n', `${layout}.inside/ping`).stdout).toMatch(/ping cap_net_raw=ep$/m)
  })

  function diffIds(tag: string): readonly string[] {
    return resolveImage(openLayout(box.layout), tag, undefined).config.rootfs.diff_ids
  }

  /** Owners of all files of an image. */
  function ownersIn(tag: string): string[] {
    const tree = `${box.layout}.${tag}`
    ociUnpackOk('raw', 'unpack', '--image', `${box.layout}:${tag}`, tree)
    return ok('find', tree, '-printf', '%P %U:%G\n').stdout.split('\n')
  }

  test('a refreshed bundle states owners as before', () => {
    box.unpack()
    const { image, bundle } = box
    const edit = 'echo x >bundle/rootfs/closed/new; chown 5:6 bundle/rootfs/closed/new'
    expectOk(box.unshared('sh', '-ec', edit), 'edit')
    box.insideOk('repack', '--refresh-bundle', '--image', image, bundle)
    box.forgetFingerprints()
    expect(ociUnpackOk('diff', bundle).stdout).toBe('')
    expect(box.mapOptions().uid_mappings).toHaveLength(2)
    ociUnpackOk('repack', '--refresh-bundle', '--image', image, bundle)
    expect(box.insideOk('diff', bundle).stdout).toBe('')
    box.insideOk('bundle', 'delete', bundle)
    expect(readdirSync(box.user.home)).not.toContain('bundle')
  })

  test('in a namespace that somebody else made, the flag says which ids count', () => {
    const other = `${box.bundle}-flag`
    expectOk(
      box.unshared(...ociUnpackCommand, 'unpack', '--image', box.image, box.bundle),
      'unpack'
    )
    expect(box.mapOptions().uid_mappings).toBeNull()
    const args = ['--userns', 'unpack', '--image', box.image, other]
    expectOk(box.unshared(...ociUnpackCommand, ...args), 'unpack')
    const [root] = box.mapOptions(other).uid_mappings!
    expect(root).toEqual({ containerID: 0, hostID: box.user.uid, size: 1 })
    expect(ociUnpackOk('diff', other).stdout).toBe('')
  })

  test('a rootless bundle has no changes, in whatever namespace and whoever owns it now', () => {
    const { user, image, bundle } = box
    const unpack = [...ociUnpackCommand, 'unpack', '--rootless', '--image', image]
    expectOk(user.run(unpack[0]!, ...unpack.slice(1), bundle), 'unpack')
    expectOk(user.run('unshare', '-Ur', ...unpack, `${bundle}-inside`), 'unpack')
    ok('cp', '-a', bundle, `${bundle}-copy`)
    ok('chown', '-Rh', '7:8', `${bundle}-copy`)
    const looks: (() => Run)[] = [
      () => user.run(ociUnpackCommand[0], ociUnpackCommand[1], 'diff', bundle),
      () => box.inside('diff', bundle),
      () => box.unshared(...ociUnpackCommand, 'diff', bundle),
      () => user.run('unshare', '-Ur', ...ociUnpackCommand, 'diff', bundle),
      () => ociUnpack('diff', bundle),
      () => user.run(ociUnpackCommand[0], ociUnpackCommand[1], 'diff', `${bundle}-inside`),
      () => ociUnpack('diff', `${bundle}-copy`)
    ]
    for (const look of looks) {
      box.forgetFingerprints()
      expect(look()).toEqual({ status: 0, stdout: '', stderr: '' })
    }
  })

  test('outside, the user is told where the bundle can be read and deleted, and keeps all of it', () => {
    box.unpack()
    const before = ok('find', box.bundle).stdout
    const outside = (...args: string[]): Run => box.user.run(...ociUnpackCommand, ...args)
    for (const args of [
      ['bundle', 'delete', box.bundle],
      ['diff', box.bundle]
    ]) {
      box.forgetFingerprints()
      const { status, stderr } = outside(...args)
      expect(status).toBe(1)
      expect(stderr).toContain('run the command in that namespace (--userns)')
    }
    const files = (list: string): string[] =>
      list.split('\n').filter((it) => !it.endsWith('prints'))
    expect(files(ok('find', box.bundle).stdout)).toEqual(files(before))
    box.insideOk('bundle', 'delete', box.bundle)
  })

  test('the flag changes nothing for root', () => {
    ociUnpackOk('--userns', 'unpack', '--image', box.image, box.bundle)
    expect(box.owners('etc/theirs')).toBe('33:44')
    expect(box.mapOptions().uid_mappings).toBeNull()
  })

  test('an id that the namespace does not have is named', () => {
    box.makeImage(tar(file('a', ''), file('far', '', { uid: 65_537, gid: 3 })))
    const { status, stderr } = box.inside('unpack', '--image', box.image, box.bundle)
    expect(status).toBe(1)
    expect(stderr).toContain('The user namespace has no uid 65537. [ID_NOT_MAPPED]')
    expect(stderr).toMatch(/entry: far\n[^]*found: 65537\n.*\/etc\/subuid.*--rootless/)
    expect(readdirSync(box.user.home)).not.toContain('bundle')
  })

  test('uses all ranges', () => {
    const { name, uid, subuid } = box.user
    const more = ['3000000000-3000000001', '2900000000-2900000002']
    for (const range of more) ok('usermod', '--add-subuids', range, name)
    box.unpack()
    expect(box.mapOptions().uid_mappings).toEqual([
      { containerID: 0, hostID: uid, size: 1 },
      { containerID: 1, hostID: subuid, size: 65_536 },
      { containerID: 65_537, hostID: 3_000_000_000, size: 2 },
      { containerID: 65_539, hostID: 2_900_000_000, size: 3 }
    ])
  })
})

interface LinuxSection {
  namespaces: readonly object[]
  resources?: object
}

function linuxIn(file: string): LinuxSection {
  return (JSON.parse(readFileSync(file, 'utf8')) as { linux: LinuxSection }).linux
}
