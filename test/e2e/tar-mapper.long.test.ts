/** Does what tar-mapper.md says, to the letter, with a machine that has one of everything. */
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { changeTree, makeTree } from '../hook-sets/set-driver.ts'
import { snapshot } from '../reference/snapshot.ts'
import { makeWithin, mountNew, requirementsOf, type Mounted } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { doStep, makePlace, readPage, stepsOf, titleOf } from './page.ts'

const root = new URL('../../', import.meta.url).pathname
const steps = stepsOf(readPage('tar-mapper.md'))
const FILE_SYSTEMS = [
  ['btrfs', 'snapshots of read-only subvolumes'],
  ['ext4', 'copies']
] as const

for (const [type, how] of FILE_SYSTEMS) {
  const isUsable = needs('setfattr', 'setfacl', 'tar', 'xz', 'zstd', ...requirementsOf(type))
  describe.runIf(isUsable)(`tar-mapper.md on ${type}`, () => followPage(type, how))
}

function followPage(type: (typeof FILE_SYSTEMS)[number][0], how: string): void {
  let disk: Mounted
  let place: string
  let rootfs: string
  /** What the steps have shown, by their commands. */
  const shown = new Map<string, string>()
  /** The instance when it was saved. */
  let saved = ''

  beforeAll(() => {
    disk = mountNew(type)
    place = makePlace(makeWithin(disk))
    rootfs = `${place}/pool/instances/42/rootfs`
    installAt(place)
    packArchive(`${place}/app.tar.xz`)
  })
  afterAll(() => disk.release())

  test.each(steps.map((step) => [titleOf(step), step] as const))('%s', (title, step) => {
    if (title.includes('bundle save')) {
      work(rootfs, type === 'btrfs')
      saved = snapshot(rootfs)
    }
    shown.set(title, doStep(place, step))
    if (/--image (tar:saved|images:app-42) pool/.test(title)) {
      const restored = join(place, title.split(' ').at(-1)!, 'rootfs')
      expect(snapshot(restored)).toBe(saved)
      expect(readFileSync(`${restored}/etc/hostname`, 'utf8')).toBe('machine-42\n')
      expect(statSync(`${restored}/srv/disk`).blocks).toBeLessThan(1024)
    }
  })

  const shownBy = (part: RegExp): string =>
    [...shown].find(([command]) => part.test(command))?.[1] ?? 'no such step'

  test('has shown what the page says', () => {
    expect(shownBy(/hooks check/)).toContain(how)
    expect(shownBy(/bundle list/)).toMatch(/^42 .* yes .*\n43 .* no .*\n$/m)
    expect(shownBy(/hooks gc/)).toContain('1 layer removed, 2 layers needed')
    expect(shownBy(/sweep$/)).toMatch(/^(image images\/[0-9a-f]{64}\n)*$/)
  })

  test('has saved all that a machine can have', () => {
    for (const what of ['disk', 'trusted.root', 'linked', 'nested/in/deepest'])
      expect(saved).toContain(what)
    const listing = ok('tar', '-tvf', `${place}/saved.tar.zst`, '--numeric-owner').stdout
    expect(listing).toMatch(/^-rw\S+ 1234\/5678 .* srv\/app$/m)
  })

  test('leaves nothing but what was saved', () => {
    expect(readdirSync(`${place}/pool/instances`)).toEqual([])
    for (const part of ['images', 'staged', 'unpacking'])
      expect(readdirSync(`${place}/pool/${part}`)).toEqual([])
    if (type === 'btrfs') expect(ok('btrfs', 'subvolume', 'list', disk.path).stdout).toBe('')
    const { manifests } = JSON.parse(readFileSync(`${place}/images/index.json`, 'utf8')) as {
      manifests: object[]
    }
    expect(manifests).toHaveLength(1)
  })
}

/** Where npm has installed the program. */
function installAt(place: string): void {
  mkdirSync(`${place}/modules`)
  symlinkSync(root, `${place}/modules/oci-unpack`)
  writeFileSync(`${place}/bin/npm`, `#!/bin/sh\necho ${place}/modules\n`, { mode: 0o755 })
}

function packArchive(archive: string): void {
  const tree = `${archive}.tree`
  mkdirSync(`${tree}/etc`, { recursive: true })
  mkdirSync(`${tree}/srv`)
  writeFileSync(`${tree}/etc/hostname`, 'app\n')
  writeFileSync(`${tree}/srv/app`, 'app')
  ok('chown', '1234:5678', `${tree}/srv/app`)
  mkdirSync(`${tree}/srv/tree`)
  makeTree(`${tree}/srv/tree`)
  ok('tar', '-cJf', archive, '--xattrs', '--xattrs-include=*', '--acls', '-C', tree, '.')
  ok('rm', '-r', tree)
}

/** What a machine does to its root file system. */
function work(rootfs: string, hasSubvolumes: boolean): void {
  changeTree(`${rootfs}/srv/tree`)
  ok('truncate', '-s', '8M', `${rootfs}/srv/disk`)
  ok('sh', '-c', `printf end >>${rootfs}/srv/disk; ln ${rootfs}/srv/disk ${rootfs}/srv/linked`)
  ok('setfattr', '-n', 'trusted.root', '-v', 'x', rootfs)
  for (const path of ['nested', 'nested/in', 'nested/in/deepest']) {
    if (hasSubvolumes) ok('btrfs', 'subvolume', 'create', `${rootfs}/${path}`)
    else mkdirSync(`${rootfs}/${path}`)
    writeFileSync(`${rootfs}/${path}/file`, path)
  }
  ok('ln', `${rootfs}/nested/in/file`, `${rootfs}/nested/in/other-name`)
  ok('setfacl', '-m', 'u:77:rwx', `${rootfs}/nested/in/deepest`)
}
