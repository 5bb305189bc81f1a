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
  image = buildImage(`${work}/layout`, { layers: [tar(file('f', 'content'))] }).reference
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
  'erofs make --image IMAGE WORK/new',
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

test('erofs make reads layers as unpack does', () => {
  const limits = ['entries', 'unpacked-bytes', 'ratio', 'path-bytes', 'json-bytes', 'pax-bytes']
  const flags = [
    '--decompressor=none',
    '--keep-dirlinks',
    ...limits.map((it) => `--max-${it}=100000`)
  ]
  ociUnpackOk(
    'erofs',
    'make',
    '--image',
    image,
    ...flags.map((it) => it.replace('path-bytes=100000', 'path-bytes=99')),
    `${work}/new`
  )
  const few = ociUnpack('erofs', 'make', '--image', image, '--max-entries=0', `${work}/few`)
  expect([few.status, few.stderr]).toEqual([1, expect.stringContaining('LIMIT_EXCEEDED')])
  expect(fs.readdirSync(work)).toEqual(['layer.tar', 'layout', 'new'])
})
