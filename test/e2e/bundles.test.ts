/** The commands for bundles that exist, on the command line. */
import * as fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { unpack } from '../../src/index.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { directory, file, hardlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackFlags, unpackOptions } from '../support/whoever.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'

let work: string
let image: string
beforeEach(() => {
  work = makeTemporary()
  const layer = tar(directory('d/'), file('d/f', 'content', { uid: 5 }), hardlink('d/g', 'd/f'))
  image = buildImage(`${work}/layout`, { layers: [layer], tag: 't' }).reference
})
afterEach(() => removeTemporary(work))

/** Makes a bundle in the pool. */
async function add(name: string, hooks?: { file: string }): Promise<void> {
  const destination = `${work}/pool/${name}`
  const options = { ...unpackOptions, image, destination, jobs: 0 }
  await unpack(hooks === undefined ? options : { ...options, hooks })
}

test('bundle save makes an archive that is unpacked to the same tree', () => {
  ociUnpackOk('unpack', ...unpackFlags, '--image', image, `${work}/bundle`)
  fs.writeFileSync(`${work}/bundle/rootfs/new`, 'new')
  const archive = `tar:${work}/saved.tar.gz`
  expect(ociUnpackOk('bundle', 'save', '--jobs=1', `${work}/bundle`, archive)).toMatchObject({
    stdout: '',
    stderr: ''
  })
  ociUnpackOk('unpack', ...unpackFlags, '--image', archive, `${work}/restored`)
  expect(compareTrees(`${work}/bundle/rootfs`, `${work}/restored/rootfs`)).toEqual([])
  const again = ociUnpack('bundle', 'save', `${work}/bundle`, archive)
  expect(again).toMatchObject({ status: 1 })
  expect(again.stderr).toContain('ARCHIVE_EXISTS')
})

test.runIf(needs('root', 'umoci'))('bundle save packs a bundle of umoci for GNU tar', () => {
  const maps = ['--uid-map=0:1000:10', '--gid-map=0:1000:10']
  ok('umoci', 'unpack', ...maps, '--image', image, `${work}/bundle`)
  ok('umoci', 'raw', 'unpack', '--image', image, `${work}/expected`)
  ociUnpackOk('bundle', 'save', `${work}/bundle`, `tar:${work}/saved.tar`)
  fs.mkdirSync(`${work}/restored`)
  ok('tar', '-x', '-p', '--numeric-owner', '-f', `${work}/saved.tar`, '-C', `${work}/restored`)
  expect(compareTrees(`${work}/expected`, `${work}/restored`, ['.:mtime,mode'])).toEqual([])
})

test('bundle list shows what there is, as a table and as JSON', async () => {
  for (const name of ['one', 'two']) await add(name)
  fs.writeFileSync(`${work}/pool/one/rootfs/new`, '')
  fs.symlinkSync('two', `${work}/pool/current`)
  fs.mkdirSync(`${work}/pool/broken`)
  fs.writeFileSync(`${work}/pool/broken/umoci.json`, '{')
  const listed = ociUnpackOk('bundle', 'list', '--no-hooks', '--jobs=1', `${work}/pool`)
  expect(listed.stdout.split('\n').map((line) => line.split(/ +/))).toEqual([
    ['NAME', 'IMAGE', 'STORAGE', 'SIZE', 'CHANGED', 'MOUNTED', 'SELECTED', 'DIGEST'],
    expect.arrayContaining(['broken', 'directory', 'BUNDLE_INVALID:']),
    ['one', `oci:${image}`, 'directory', expect.stringMatching(/B$/), 'yes', 'no', 'no', DIGEST],
    [
      'two',
      `oci:${image}`,
      'directory',
      expect.stringMatching(/B$/),
      'no',
      'no',
      'current',
      DIGEST
    ],
    ['']
  ])
  const lines = ociUnpackOk('bundle', 'list', '--json', `${work}/pool`).stdout.trim().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { name: 'broken', image: null, size: null, changed: null, error: { code: 'BUNDLE_INVALID' } },
    { name: 'one', changed: true, selectedBy: [], error: null },
    { name: 'two', changed: false, selectedBy: ['current'], image: { digest: DIGEST } }
  ])
})

const DIGEST = expect.stringMatching(/^sha256:/) as unknown

test('bundle prune removes old bundles of hooks, with their changes only if forced', async () => {
  const toml = `${work}/hooks.toml`
  fs.writeFileSync(toml, `version = 1\nname = "logs"\n[bundle.delete]\ncommand = ["/bin/true"]\n`)
  for (const name of ['a', 'b', 'c', 'd']) await add(name, { file: toml })
  fs.writeFileSync(`${work}/pool/b/rootfs/new`, '')
  fs.symlinkSync('a', `${work}/pool/current`)
  const traced = ociUnpackOk('bundle', 'list', '--hooks', toml, `--trace=${work}/l`, `${work}/pool`)
  expect(traced.stdout).toContain(' logs ')
  const pool = ['--keep=1', `${work}/pool`]
  const plan = ociUnpackOk('bundle', 'prune', '--hooks', toml, '--dry-run', '--json', ...pool)
  const lines = plan.stdout.trim().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { name: 'a', kept: 'selected' },
    { name: 'b', kept: 'changed' },
    { name: 'c', kept: null },
    { name: 'd', kept: 'newest' }
  ])
  const without = ociUnpack('bundle', 'prune', '--no-hooks', '--jobs=1', ...pool)
  expect(without).toMatchObject({ status: 1, stdout: expect.stringContaining('USAGE') as string })
  const remaining = (...flags: string[]): string[] => {
    ociUnpackOk('bundle', 'prune', '--hooks', toml, '--trace', `${work}/t`, ...flags, ...pool)
    return fs.readdirSync(`${work}/pool`)
  }
  expect(remaining()).toEqual(['a', 'b', 'current', 'd'])
  expect(remaining('--force')).toEqual(['a', 'current', 'd'])
  expect(fs.readFileSync(`${work}/t`, 'utf8').match(/bundle\.delete/g)).toHaveLength(2)
  expect(ociUnpack('bundle', 'prune', '--keep=none', `${work}/pool`)).toMatchObject({ status: 1 })
})

test('bundle prune keeps as many bundles as it is told', async () => {
  for (const name of ['one', 'two', 'three']) await add(name)
  ociUnpackOk('bundle', 'prune', '--no-hooks', '--jobs=1', '--keep=2', `${work}/pool`)
  expect(fs.readdirSync(`${work}/pool`).sort()).toEqual(['three', 'two'])
})

test.runIf(needs('umoci'))('bundle list shows bundles of umoci as ours', async () => {
  ok('umoci', 'unpack', ...unpackFlags, '--image', image, `${work}/pool/theirs`)
  await add('ours')
  const list = (): unknown[] =>
    ociUnpackOk('bundle', 'list', '--no-hooks', '--json', `${work}/pool`)
      .stdout.trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
  expect(list()).toMatchObject([
    { name: 'ours', image: { name: `oci:${image}`, digest: DIGEST }, changed: false },
    { name: 'theirs', image: { name: 't', digest: DIGEST }, changed: false }
  ])
  fs.writeFileSync(`${work}/pool/theirs/rootfs/d/f`, 'changed')
  expect(list()[1]).toMatchObject({ changed: true })
})

test('bundle select lets a link lead to a bundle, tells the hook, and goes back', async () => {
  const toml = `${work}/hooks.toml`
  const hook = (script: string): void =>
    fs.writeFileSync(
      toml,
      `version = 1\n[bundle.selected]\ncommand = ["sh", "-c", ${JSON.stringify(script)}]\n`
    )
  for (const name of ['one', 'two']) await add(name)
  const pool = `${work}/pool`
  const select = (name: string, ...flags: string[]) =>
    ociUnpack('bundle', 'select', ...flags, `${pool}/${name}`)
  expect(select('one', '--no-hooks')).toMatchObject({ status: 0, stdout: '', stderr: '' })
  const facts = ['LINK', 'BUNDLE', 'ROOTFS', 'OLD_BUNDLE', 'OLD_ROOTFS', 'OLD_MANIFEST_DIGEST']
  hook(`for fact in ${facts.join(' ')}; do eval "echo \\$OCI_UNPACK_$fact"; done >${work}/told`)
  const trace = `${work}/trace`
  expect(select('two', '--hooks', toml, '--trace', trace)).toMatchObject({ status: 0, stdout: '' })
  expect(fs.readFileSync(`${work}/told`, 'utf8').split('\n')).toEqual([
    ...[`${pool}/selected`, `${pool}/two`, `${pool}/two/rootfs`],
    ...[`${pool}/one`, `${pool}/one/rootfs`, DIGEST, '']
  ])
  expect(fs.readFileSync(trace, 'utf8')).toContain('"hook":"bundle.selected"')
  expect(ociUnpackOk('bundle', 'list', pool).stdout).toMatch(/two .* selected +sha256:/)
  hook('echo cannot >&2; exit 1')
  const failed = select('one', '--hooks', toml)
  expect(failed).toMatchObject({ status: 1 })
  expect(failed.stderr).toMatch(/HOOK_FAILED[^]*cannot/)
  expect(failed.stderr).toContain('The selection was undone.')
  expect(fs.readlinkSync(`${pool}/selected`)).toBe('two')
  expect(select('one', '--no-hooks', '--link=current')).toMatchObject({ status: 0 })
  expect(fs.readlinkSync(`${pool}/current`)).toBe('one')
  const taken = select('one', '--no-hooks', '--link=two')
  expect([taken.status, taken.stderr]).toEqual([
    1,
    expect.stringMatching(/TARGET_INVALID[^]*--link/)
  ])
})
