/**
 * An upgrade between two real Debian images, the second with upgraded packages. What is expected comes from others: the tree from
 * dpkg, which upgrades the same packages in a copy of the edited tree and keeps edited conffiles; the conflicts from a comparison of
 * three trees by compare-trees.py.
 */
import { lstatSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { identities } from '../engine/upgrade/bundles.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'
import { DEBIAN_NEEDS } from './debian-image.ts'

const cached = new URL('../images/upgraded/cached.sh', import.meta.url).pathname

/** What an administrator does. The new packages also change the files of the first five lines, and login.defs in the same way. */
const EDITS = `
  cd "$1"
  echo 'alias ll="ls -l"' >>etc/bash.bashrc
  echo '# mine' >>etc/pam.d/login
  rm etc/issue.net
  rm etc/skel/.bashrc
  rm usr/bin/bashbug
  echo '# new default' >>etc/login.defs
  rm etc/skel/.profile
  echo '# mine' >>etc/pam.conf
  sed -i 's/^root:[^:]*:/root:!:/' etc/shadow
  echo 'app:x:1000:1000::/srv/app:/bin/sh' >>etc/passwd
  mkdir -m 700 etc/mine.d && echo key >etc/mine.d/key && chmod 600 etc/mine.d/key
  ln -s ../../usr/share/zoneinfo/Europe/Paris etc/mine.d/zone
  chmod 750 etc/apt
  mkdir -p srv/app && echo data >srv/app/data && ln srv/app/data srv/app/again && chown -R 1000:1000 srv/app
  truncate -s 16M srv/app/disk && printf end >>srv/app/disk
  mkfifo -m 600 srv/app/pipe
  setfattr -n user.note -v mine srv/app/data
  rm usr/bin/expand
  echo '#!/bin/sh' >usr/bin/tac
  rm -r var/mail && mkdir -m 2775 var/mail
`

/** Upgrades the tree $1 to the packages in $2. dpkg puts new defaults beside edited files, under another name than an upgrade. */
const DPKG = `
  cp -r "$2" "$1/packages"
  ROOT=$1 unshare --mount --pid --fork --kill-child sh -ec '
    mount -t proc proc "$ROOT/proc"
    exec chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C \\
      sh -c "apt-get -qq install --yes -o Dpkg::Options::=--force-confold /packages/*.deb"
  '
  rm -r "$1/packages"
  find "$1/etc" -name '*.dpkg-dist' | while IFS= read -r file; do mv "$file" "\${file%.dpkg-dist}.orig"; done
`

/** What apt and ldconfig write about themselves at every run. */
const ASIDE = /^var\/(log|cache\/(apt|ldconfig))\//

describe.runIf(needs(...DEBIAN_NEEDS))('an upgrade of real packages', { timeout: 300_000 }, () => {
  let work: string
  let layout: string
  let before: string[]
  const rootfs = (name: string): string => `${work}/${name}/rootfs`
  const upgrade = (to: string, ...more: string[]): string[] => [
    ...['bundle', 'upgrade', '--no-hooks', '--image', `${layout}:new`],
    ...[...more, `${work}/edited`, `${work}/${to}`]
  ]
  /** Paths that differ in more than a time. */
  const different = (one: string, other: string): Set<string> =>
    new Set(differences(one, other).map((line) => line.split(': ')[0]!))

  beforeAll(() => {
    work = makeTemporary()
    const made = ok(cached).stdout.trim()
    layout = `${made}/layout`
    for (const name of ['old', 'edited', 'new']) {
      const image = `${layout}:${name === 'new' ? 'new' : 'old'}`
      ociUnpackOk('unpack', '--no-hooks', '--image', image, `${work}/${name}`)
    }
    ok('sh', '-ec', EDITS, 'sh', rootfs('edited'))
    before = identities(`${work}/edited`)
    ok('cp', '-a', rootfs('edited'), `${work}/expected`)
    ok('sh', '-ec', DPKG, 'sh', `${work}/expected`, `${made}/packages`)
  }, 900_000)
  afterAll(() => removeTemporary(work))

  test('has packages of later versions, and not only those that were made for it', () => {
    const [old, now] = ['old', 'new'].map((name) => versionsIn(rootfs(name)))
    const upgraded = [...now!].filter(([name, version]) => old!.get(name) !== version)
    expect(upgraded.map(([name]) => name)).toEqual(
      expect.arrayContaining(['base-files', 'bash', 'login'])
    )
    expect(upgraded.length).toBeGreaterThan(5)
  })

  test('has exactly the conflicts of both', () => {
    const { status, stdout } = ociUnpack(...upgrade('refused'))
    expect(status).toBe(1)
    expect(stdout.trimEnd().split('\n')).toEqual([
      'C etc/bash.bashrc (modified in the bundle, modified in the image): no rule',
      'C etc/issue.net (deleted in the bundle, modified in the image): no rule',
      'C etc/pam.d/login (modified in the bundle, modified in the image): no rule',
      'C etc/skel/.bashrc (deleted in the bundle, modified in the image): no rule',
      'C usr/bin/bashbug (deleted in the bundle, modified in the image): no rule'
    ])
    const inBundle = different(rootfs('old'), rootfs('edited'))
    const inImage = different(rootfs('old'), rootfs('new'))
    const unlike = different(rootfs('edited'), rootfs('new'))
    const both = [...inBundle].filter((path) => inImage.has(path) && unlike.has(path))
    expect(stdout.match(/(?<=^C )\S+/gm)).toEqual(both.sort())
  })

  test('gives exactly what dpkg makes of the edited tree, and leaves the old bundle as it was', () => {
    ociUnpackOk(...upgrade('upgraded', '--conflicts=new', '--conflicts=both:etc'))
    const found = differences(`${work}/expected`, rootfs('upgraded'))
    expect(found.filter((line) => !ASIDE.test(line))).toEqual([])
    expect(identities(`${work}/edited`)).toEqual(before)
  })

  test('keeps what only the administrator has changed in every field', () => {
    const changed = different(rootfs('old'), rootfs('edited'))
    const inImage = different(rootfs('old'), rootfs('new'))
    const mine = [...changed].filter((path) => !inImage.has(path))
    expect(mine).toEqual(expect.arrayContaining(['etc/pam.conf', 'srv/app/data', 'var/mail']))
    const left = compareTrees(rootfs('edited'), rootfs('upgraded')).filter((line) => {
      const [path, field] = line.split(': ') as [string, string]
      const isTimeOfDirectory = field.startsWith('mtime ') && isDirectory(`${work}/edited`, path)
      return mine.includes(path) && !isTimeOfDirectory
    })
    expect(left).toEqual([])
    expect(lstatSync(`${rootfs('upgraded')}/srv/app/disk`).blocks).toBeLessThan(1024)
  })

  test('carries over only what it is told to', () => {
    ociUnpackOk(...upgrade('only', '--conflicts=keep', '--only=etc'))
    const paths = [...different(rootfs('new'), rootfs('only'))]
    expect(paths).toContain('etc/shadow')
    expect(paths.filter((path) => !path.startsWith('etc/'))).toEqual([])
  })
})

function differences(one: string, other: string): string[] {
  return compareTrees(one, other).filter((line) => !/: mtime \S+ != \S+$/.test(line))
}

function isDirectory(bundle: string, path: string): boolean {
  return lstatSync(`${bundle}/rootfs/${path}`, { throwIfNoEntry: false })?.isDirectory() === true
}

function versionsIn(root: string): Map<string, string> {
  const status = readFileSync(`${root}/var/lib/dpkg/status`, 'utf8')
  return new Map(
    [...status.matchAll(/^Package: (.*)$[^]*?^Version: (.*)$/gm)].map(([, name, version]) => [
      name!,
      version!
    ])
  )
}
