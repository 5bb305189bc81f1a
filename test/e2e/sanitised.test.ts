import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { buildImage, type Layer } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import {
  directory,
  encodeEntry,
  file,
  hardlink,
  paxHeader,
  symlink,
  tar
} from '../support/tar-builder.ts'
import { unpackInSandbox } from './sandbox.ts'

const LAYER = tar(file('a', 'one'), file('b', 'two'))

/** Odd input that is no error: where it must land, below the bundle's rootfs. */
const CASES: readonly [
  name: string,
  layers: (Buffer | Layer)[],
  check: (rootfs: string) => void
][] = [
  [
    'names that climb out',
    [tar(file('../../victim', 'in'))],
    (root) => holds(`${root}/victim`, 'in')
  ],
  ['absolute names', [tar(file('/victim', 'in'))], (root) => holds(`${root}/victim`, 'in')],
  [
    'entries below a symlink that leads out',
    [tar(symlink('out', '../../../outside'), file('out/file', 'in'))],
    (root) => holds(`${root}/outside/file`, 'in')
  ],
  [
    'entries of an upper layer below a symlink to an absolute path',
    [tar(symlink('out', '/outside')), tar(file('out/file', 'in'))],
    (root) => holds(`${root}/outside/file`, 'in')
  ],
  [
    'whiteouts of what is not there',
    [tar(file('.wh.never'), file('no/.wh.where'), file('a', 'one'))],
    (root) => holds(`${root}/a`, 'one')
  ],
  [
    'whiteouts below a symlink that leads out',
    [tar(symlink('out', '../../outside')), tar(file('out/.wh.file'), file('out/.wh..wh..opq'))],
    (root) => expect(readlinkSync(`${root}/out`)).toBe('../../outside')
  ],
  [
    'links with names that climb',
    [tar(file('a', 'one'), hardlink('l', '../../../a'))],
    (root) => expect(statSync(`${root}/l`).nlink).toBe(2)
  ],
  [
    'a file where a parent must be',
    [tar(file('a', 'one')), tar(file('a/b', 'two'))],
    (root) => holds(`${root}/a/b`, 'two')
  ],
  [
    'gzip of several members',
    [
      {
        tar: LAYER,
        blob: Buffer.concat(
          [LAYER.subarray(0, 600), LAYER.subarray(600)].map((part) => gzipSync(part))
        )
      }
    ],
    (root) => holds(`${root}/b`, 'two')
  ],
  [
    'zeros after gzip',
    [{ tar: LAYER, blob: Buffer.concat([gzipSync(LAYER), Buffer.alloc(700)]) }],
    (root) => holds(`${root}/b`, 'two')
  ],
  [
    'data after the end blocks',
    [Buffer.concat([LAYER, Buffer.alloc(10_000), Buffer.from('tail')])],
    (root) => holds(`${root}/b`, 'two')
  ],
  ['no end blocks', [encodeEntry(file('a', 'one'))], (root) => holds(`${root}/a`, 'one')],
  ['an empty layer', [LAYER, { tar: Buffer.alloc(0) }, tar()], (root) => holds(`${root}/a`, 'one')],
  ['one layer twice', [LAYER, tar(file('a', 'other')), LAYER], (root) => holds(`${root}/a`, 'one')],
  [
    'a global header',
    [Buffer.concat([paxHeader('g', { comment: 'x', mtime: '5.25' }), tar(file('a', 'one'))])],
    (root) => expect(statSync(`${root}/a`).mtimeMs).toBe(5250)
  ],
  [
    'an uncompressed layer',
    [{ tar: LAYER, blob: LAYER, mediaType: 'application/vnd.oci.image.layer.v1.tar' }],
    (root) => holds(`${root}/a`, 'one')
  ],
  [
    'parents that no layer describes',
    [tar(file('a/b/c'))],
    (root) => expect(statSync(`${root}/a/b`)).toMatchObject({ mtimeMs: 0, mode: 0o40755, uid: 0 })
  ],
  ['an image without layers', [], (root) => expect(statSync(root).mtimeMs).toBe(0)],
  [
    'a root entry',
    [tar(directory('./', { mode: 0o711, mtime: 7 }))],
    (root) => expect(statSync(root).mode & 0o7777).toBe(0o711)
  ]
]

describe.runIf(needs('root', 'python3'))('takes in its stride', () => {
  test.each(CASES)('%s', (_name, layers, check) => {
    const { status, stderr, changes } = unpackInSandbox(
      (box) => buildImage(box.layout, { layers }).reference,
      (box) => check(`${box.bundle}/rootfs`)
    )
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(changes.filter((line) => !/^bundle[:/]/.test(line))).toEqual([])
  })
})

function holds(path: string, body: string): void {
  expect(readFileSync(path, 'utf8')).toBe(body)
}
