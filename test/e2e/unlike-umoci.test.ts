/** Where this program decides otherwise than umoci 0.6 on purpose: what it does instead. */
import * as fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeEntry, readLayer } from '../engine/repack-bundle.ts'
import { blobPath, buildImage } from '../support/image-builder.ts'
import { run } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { documents } from './both-programs.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'
import { unpackFlags } from '../support/whoever.ts'

let work: string
let layout: string
beforeEach(() => {
  work = makeTemporary()
  layout = `${work}/layout`
  buildImage(layout, { layers: [tar(file('a', 'a'))], tag: 'x' })
  fs.writeFileSync(`${work}/file`, 'file')
  fs.mkdirSync(`${work}/tree`)
  fs.writeFileSync(`${work}/tree/b`, 'b')
})
afterEach(() => removeTemporary(work))

/** Entries of the topmost layer of `x`. */
function newest(): string[] {
  return readLayer(layout, documents(layout, 'x').manifest.layers.at(-1)!.digest).map(describeEntry)
}

function state(): string {
  return (
    fs.readdirSync(`${layout}/blobs/sha256`).sort().join() +
    fs.readFileSync(`${layout}/index.json`, 'utf8')
  )
}

test.each<[what: string, args: string[], found: string]>([
  ['an empty architecture', ['config', '--architecture', ''], 'architecture'],
  ['an empty os', ['config', '--os', ''], 'os'],
  ['an annotation without =', ['config', '--manifest.annotation', 'name'], 'name'],
  ['the root as what is deleted', ['insert', '--whiteout', '/'], 'root'],
  ['an empty compression', ['insert', '--compress', '', 'FILE', '/f'], 'compress'],
  [
    'a rootfs that is not there',
    ['raw', 'runtime-config', '--rootfs', '/nowhere', 'OUT'],
    '/nowhere'
  ]
])('%s is an error, and nothing changes', (_what, args, found) => {
  const before = state()
  const given = args.map((arg) => arg.replace('FILE', `${work}/file`).replace('OUT', `${work}/out`))
  const { status, stdout, stderr } = ociUnpack(...given, '--image', `${layout}:x`)
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toContain(found)
  expect(state()).toBe(before)
  expect(fs.existsSync(`${work}/out`)).toBe(false)
})

test('an empty argument of a command is kept', () => {
  ociUnpackOk('config', '--image', `${layout}:x`, '--config.cmd', 'sh', '--config.cmd', '')
  expect(documents(layout, 'x').config).toMatchObject({ config: { Cmd: ['sh', ''] } })
})

test.each([
  [['--whiteout=false', 'FILE', '/f'], ['file f']],
  [
    ['--opaque=false', 'TREE', '/d'],
    ['directory d/', 'file d/b']
  ],
  [
    ['TREE', '/'],
    ['directory .', 'file b']
  ],
  [
    ['--opaque', 'TREE', '/'],
    ['file .wh..wh..opq', 'directory .', 'file b']
  ]
])('insert %j adds %j', (args, entries) => {
  const given = args.map((arg) =>
    arg.replace('FILE', `${work}/file`).replace('TREE', `${work}/tree`)
  )
  ociUnpackOk('insert', '--image', `${layout}:x`, ...given)
  expect(newest()).toEqual(entries)
})

test('paths may lead upwards', () => {
  const script = `cd "$0"; "$@" raw unpack ${unpackFlags.join(' ')} --image ../layout:x ../out && "$@" insert --image ../layout:x ../file /f`
  expect(run('sh', '-euc', script, `${work}/tree`, ...ociUnpackCommand).status).toBe(0)
  expect(fs.readdirSync(`${work}/out`)).toEqual(['a'])
  expect(newest()).toEqual(['file f'])
})

test('a collection goes on where a blob is absent, and past files that are not blobs', () => {
  const [layer] = documents(layout, 'x').manifest.layers
  fs.rmSync(blobPath(layout, layer!))
  fs.writeFileSync(`${layout}/blobs/sha256/README`, '')
  fs.writeFileSync(`${layout}/blobs/sha256/${'0'.repeat(64)}`, '')
  ociUnpackOk('gc', '--layout', layout)
  const names = fs.readdirSync(`${layout}/blobs/sha256`)
  expect(names).toContain('README')
  expect(names).toHaveLength(3)
})

test('a layout of a later minor version is read', () => {
  fs.writeFileSync(`${layout}/oci-layout`, '{"imageLayoutVersion":"1.1.0"}')
  expect(ociUnpackOk('ls', '--layout', layout).stdout).toBe('x\n')
  ociUnpackOk('raw', 'unpack', ...unpackFlags, '--image', `${layout}:x`, `${work}/out`)
})

test('times keep their fractions, unless seconds are asked for', () => {
  fs.utimesSync(`${work}/file`, 7, 7.25)
  const mtime = (...flags: string[]): unknown => {
    ociUnpackOk('insert', '--image', `${layout}:x`, ...flags, `${work}/file`, '/f')
    const { digest } = documents(layout, 'x').manifest.layers.at(-1)!
    return readLayer(layout, digest)[0]?.entry.mtime
  }
  expect(mtime()).toEqual({ sec: 7, nsec: 250_000_000 })
  expect(mtime('--time-precision', 'seconds')).toEqual({ sec: 7, nsec: 0 })
})
