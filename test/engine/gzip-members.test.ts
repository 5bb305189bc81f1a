import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { library } from '../support/dist.ts'
import { file, tar } from '../support/tar-builder.ts'
import { unpackOptions } from '../support/whoever.ts'
import { inScratch } from './support.ts'

test.each([
  ['one zero', Buffer.alloc(1)],
  ['two zeros', Buffer.alloc(2)],
  ['three zeros', Buffer.alloc(3)],
  ['a block of zeros', Buffer.alloc(512)],
  ['an empty member', gzipSync('')],
  ['an empty member and two zeros', Buffer.concat([gzipSync(''), Buffer.alloc(2)])]
])('a layer may have %s behind its gzip member, and its digest is right', (_what, end) =>
  inScratch(async (work) => {
    const bytes = tar(file('f', 'body'))
    const blob = Buffer.concat([gzipSync(bytes), end])
    const { reference } = buildImage(`${work}/layout`, { layers: [{ tar: bytes, blob }] })
    const destination = `${work}/made`
    await library.unpackRootfs({ image: reference, destination, ...unpackOptions })
    expect(readFileSync(`${destination}/f`, 'latin1')).toBe('body')
  })
)
