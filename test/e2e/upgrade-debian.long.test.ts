/** An upgrade of the real Debian image to one with upgraded packages, with local changes as an administrator makes them. */
import * as fs from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { identities } from '../engine/upgrade/bundles.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'
import { DEBIAN_NEEDS, debianLayout } from './debian-image.ts'

const everyWay = new URL('../support/scripted-changes.sh', import.meta.url).pathname

/** What dpkg does: files are replaced by others, or by the same with other times; some go, some come. */
const PACKAGES = `
  cd "$1"
  for file in usr/bin/*; do
    [ -L "$file" ] || { cp -a "$file" "$file.dpkg-new"; touch -d 2026-01-01 "$file.dpkg-new"; mv "$file.dpkg-new" "$file"; }
  done
  echo 'more' >>usr/bin/base64
  echo 'VERSION=13' >>etc/os-release.new; mv etc/os-release.new etc/os-release
  echo '# new default' >>etc/bash.bashrc
  echo '# new default' >>etc/profile
  echo 'added:x:990:990::/:/bin/false' >>etc/passwd
  sed -i 's/^Version: /Version: 9:/' var/lib/dpkg/status
  mkdir etc/fresh.d; echo new >etc/fresh.d/conf
  rm -r etc/skel
  rm etc/debian_version; ln -s ../usr/lib/version etc/debian_version
  chmod 750 var/log
`

const LOCAL = `
  cd "$1"
  echo 'mine' >etc/motd
  echo 'mine' >>etc/profile
  echo 'app:x:1000:1000::/srv:/bin/sh' >>etc/passwd
  echo '# new default' >>etc/bash.bashrc
  echo 'alias ll="ls -l"' >etc/skel/.bash_aliases
  echo '12.mine' >etc/debian_version
  mkdir -p srv/www; echo '<html>' >srv/www/index.html; chown -R 33:33 srv/www
  ln srv/www/index.html srv/www/home.html
  truncate -s 64M srv/sparse
  chmod 700 var/cache
  rm usr/bin/b2sum usr/bin/base64
  mkfifo -m 600 run/pipe
  setfattr -n user.note -v mine etc/hostname 2>/dev/null || touch etc/hostname
`

describe.runIf(needs(...DEBIAN_NEEDS))('a real Debian image', { timeout: 300_000 }, () => {
  let work: string
  let layout: string
  const upgrade = (image: string, to: string, ...more: string[]): string[] => [
    ...['bundle', 'upgrade', '--no-hooks', '--image', `${layout}:${image}`],
    ...[...more, `${work}/old`, `${work}/${to}`]
  ]

  beforeAll(() => {
    work = makeTemporary()
    layout = `${work}/layout`
    ok('cp', '-a', debianLayout(), layout)
    ociUnpackOk('unpack', '--no-hooks', '--image', `${layout}:debian`, `${work}/next`)
    ok('sh', '-ec', PACKAGES, 'sh', `${work}/next/rootfs`)
    ociUnpackOk('repack', '--no-hooks', '--image', `${layout}:next`, `${work}/next`)
    ociUnpackOk('unpack', '--no-hooks', '--image', `${layout}:debian`, `${work}/old`)
    ok('sh', '-ec', LOCAL, 'sh', `${work}/old/rootfs`)
  }, 600_000)
  afterAll(() => removeTemporary(work))

  test('has exactly the conflicts of both changes', () => {
    const { status, stdout } = ociUnpack(...upgrade('next', 'refused'))
    expect(status).toBe(1)
    expect(stdout.split('\n')).toEqual([
      'C etc/debian_version (modified in the bundle, modified in the image): no rule',
      'C etc/passwd (modified in the bundle, modified in the image): no rule',
      'C etc/profile (modified in the bundle, modified in the image): no rule',
      'C usr/bin/base64 (deleted in the bundle, modified in the image): no rule',
      ''
    ])
    expect(fs.existsSync(`${work}/refused`)).toBe(false)
  })

  test('is upgraded to exactly the tree of both, and the old bundle stays as it is', () => {
    const before = identities(`${work}/old`)
    ociUnpackOk(...upgrade('next', 'new', '--conflicts', 'new', '--conflicts', 'both:etc'))
    expect(identities(`${work}/old`)).toEqual(before)
    expect(changed(`${work}/next/rootfs`, `${work}/new/rootfs`)).toEqual([
      'etc/debian_version',
      'etc/debian_version.orig',
      'etc/hostname',
      'etc/motd',
      'etc/passwd',
      'etc/passwd.orig',
      'etc/profile',
      'etc/profile.orig',
      'etc/skel',
      'run/pipe',
      'srv/sparse',
      'srv/www',
      'usr/bin/b2sum',
      'var/cache'
    ])
    const ours = ['etc/hostname', 'etc/motd', 'etc/passwd', 'etc/profile', 'srv/www', 'srv/sparse']
    const left = compareTrees(`${work}/old/rootfs`, `${work}/new/rootfs`).filter((line) =>
      ours.some((path) => line.startsWith(`${path}:`) || line.startsWith(`${path}/`))
    )
    expect(left).toEqual([])
    expect(fs.readdirSync(`${work}/new/rootfs/etc/skel`)).toEqual(['.bash_aliases'])
    expect(fs.readlinkSync(`${work}/new/rootfs/etc/debian_version.orig`)).toBe('../usr/lib/version')
  })

  test('has its local changes again after an upgrade to the same image, in every field', () => {
    ok(everyWay, `${work}/old/rootfs`)
    ociUnpackOk(...upgrade('debian', 'same'))
    const differences = compareTrees(`${work}/old/rootfs`, `${work}/same/rootfs`)
    expect(differences.filter((line) => !isTimeOfDirectory(line))).toEqual([])
  })

  /** What is in a directory decides about its time. */
  function isTimeOfDirectory(line: string): boolean {
    const [path, field] = line.split(': ')
    return field!.startsWith('mtime') && fs.lstatSync(`${work}/old/rootfs/${path!}`).isDirectory()
  }

  /** Paths that differ in more than a time, without what is in new directories. */
  function changed(one: string, other: string): string[] {
    const lines = compareTrees(one, other).filter((line) => !/^[^:]*: mtime /.test(line))
    const paths = [...new Set(lines.map((line) => line.split(': ')[0]!))].sort()
    return paths.filter((path) => !paths.some((above) => path.startsWith(`${above}/`)))
  }
})
