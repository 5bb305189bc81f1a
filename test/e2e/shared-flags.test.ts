/** Flags that many commands share: each takes them. */
import * as fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'

let work: string
let image: string
beforeEach(() => {
  work = makeTemporary()
  image = buildImage(`${work}/layout`, {
    layers: [tar(file('f', 'content'), file('disk/x', 'disk'))]
  }).reference
  fs.writeFileSync(`${work}/layer.tar`, tar(file('g', 'more')))
})
afterEach(() => removeTemporary(work))

const PLATFORM = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`

test.each([
  'unpack --rootless --image IMAGE WORK/new',
  'insert --image IMAGE --tag new WORK/layer.tar f',
  'tag --image IMAGE new',
  'raw runtime-config --image IMAGE WORK/new',
  'raw add-layer --image IMAGE --tag new WORK/layer.tar',
  'copy IMAGE WORK/copy:new',
  'erofs make --image IMAGE --cache WORK/cache WORK/new',
  'file export --image IMAGE f WORK/new',
  'file index --image IMAGE --index WORK/index',
  'file serve --image IMAGE --index WORK/index --run true f',
  ...(needs('root') ? ['raw unpack --layout WORK/kept --image IMAGE WORK/new'] : [])
])('%s chooses a platform', (line) => {
  const words = line.split(' ').map((word) => {
    return word === 'IMAGE' ? image : word.replace('WORK', () => work)
  })
  // a tag may be moved to any image
  if (!line.startsWith('tag')) {
    const other = ociUnpack(...words, '--platform=plan9/mips')
    expect([other.status, other.stderr]).toEqual([1, expect.stringContaining('PLATFORM')])
  }
  ociUnpackOk(...words, `--platform=${PLATFORM}`)
})

const LIMITS = ['entries', 'unpacked-bytes', 'ratio', 'json-bytes', 'pax-bytes']

test.each([
  'erofs make --image IMAGE WORK/new',
  'file export --image IMAGE f WORK/new',
  'file index --image IMAGE --index WORK/index',
  'file serve --image IMAGE --index WORK/index --run true f'
])('%s reads layers as unpack does', (line) => {
  const words = line.split(' ').map((word) => {
    return word === 'IMAGE' ? image : word.replace('WORK', () => work)
  })
  const few = ociUnpack(...words, '--max-entries=0')
  expect([few.status, few.stderr]).toEqual([1, expect.stringContaining('LIMIT_EXCEEDED')])
  expect(fs.existsSync(`${work}/new`)).toBe(false)
  const flags = ['--decompressor=none', '--keep-dirlinks', '--max-path-bytes=99', '--jobs=1']
  ociUnpackOk(...words, ...flags, ...LIMITS.map((it) => `--max-${it}=100000`))
})

test('file serve listens where it is told, for one command', () => {
  const [socket, pid] = [`${work}/socket`, `${work}/pid`]
  const serve = ['file', 'serve', '--image', image, '--index', `${work}/index`]
  const look = 'test -S "$unixsocket" && cat "$PID_FILE"'
  const place = ['--socket', socket, '--pid-file', pid, '--run', look.replace('$PID_FILE', pid)]
  expect(ociUnpackOk(...serve, ...place, 'f').stdout).toMatch(/^[0-9]+\n$/)
  expect([socket, pid].filter((path) => fs.existsSync(path))).toEqual([])
  ociUnpackOk(...serve, '--disk', '--run', 'true')
})
