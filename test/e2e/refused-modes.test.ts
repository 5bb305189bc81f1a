/** A file system on which the kernel drops set-group-ID bits without a word: what was dropped is remembered. */
import { chownSync, lstatSync, mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { mountNew, requirementsOf } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { ociUnpackCommand } from './cli.ts'

const UID = 1500
const GROUP_OF_OTHERS = 6000

const LAYER = tar(
  directory('d/', { mode: 0o2755 }),
  file('d/program', 'x', { mode: 0o6755, gid: 8 }),
  file('d/changed', 'x', { mode: 0o6755 })
)

test.runIf(needs(...requirementsOf('ext4'), 'setpriv'))(
  'set-group-ID bits that a file system drops are packed as the image had them',
  () => {
    const { path, release } = mountNew('ext4', 64)
    try {
      // new files get the group of their directory, in which the user is not
      ok('mount', '-o', 'remount,grpid', path)
      const home = `${path}/home`
      mkdirSync(home)
      chownSync(home, UID, GROUP_OF_OTHERS)
      buildImage(`${home}/layout`, { layers: [LAYER] })
      ok('chown', '-R', String(UID), home)
      const { stderr } = asUser(
        'unpack',
        '--rootless',
        '--image',
        `${home}/layout`,
        `${home}/bundle`
      )
      expect(stderr).toContain('bits were refused. A repack restores them. (entry: d; found: 3)')
      const rootfs = `${home}/bundle/rootfs`
      expect(modesOf(rootfs, 'd', 'd/program')).toEqual([0o755, 0o4755])

      run('touch', '-d', '@5', `${rootfs}/d`, `${rootfs}/d/program`)
      run('chmod', '0700', `${rootfs}/d/changed`)
      asUser('repack', '--image', `${home}/layout:new`, `${home}/bundle`)
      const { stdout } = asUser('file', 'list', '--json', '--image', `${home}/layout:new`, 'd')
      const listed = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Listed)
      expect(listed.map(({ path: name, mode, gid }) => [name, mode, gid])).toEqual([
        ['/d', 0o2755, 0],
        ['/d/changed', 0o700, 0],
        ['/d/program', 0o6755, 8]
      ])
    } finally {
      release()
    }
  }
)

interface Listed {
  path: string
  mode: number
  gid: number
}

function modesOf(root: string, ...names: string[]): number[] {
  return names.map((name) => lstatSync(`${root}/${name}`).mode & 0o7777)
}

function run(...command: string[]): ReturnType<typeof ok> {
  const ids = [`--reuid=${UID}`, `--regid=${UID}`, '--clear-groups']
  return ok('setpriv', ...ids, 'env', 'HOME=/nonexistent', ...command)
}

function asUser(...args: string[]): ReturnType<typeof ok> {
  return run(...ociUnpackCommand, ...args)
}
