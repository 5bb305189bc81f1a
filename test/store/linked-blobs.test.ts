/** Layouts whose blobs are links, as debuerreotype and deduplicating tools make them. */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestOf, type Digest } from '../../src/image/digest.ts'
import { openBlob } from '../../src/store/blob.ts'
import { tryCollectGarbage } from '../../src/store/garbage.ts'
import { openLayout } from '../../src/store/layout.ts'
import { resolveImage } from '../../src/store/resolve.ts'
import { failure } from '../image/errors.ts'
import { blobPath, buildImage, type BuiltImage } from '../support/image-builder.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

let work: string
let layout: string
let image: BuiltImage
let layer: string
beforeEach(() => {
  work = makeTemporary()
  layout = `${work}/layout`
  image = buildImage(layout, { layers: [tar(file('a', 'body'))], tag: 't' })
  layer = blobPath(layout, image.layers[0]!)
})
afterEach(() => removeTemporary(work))

function readLayer(): void {
  const { layers } = resolveImage(openLayout(layout), 't').manifest
  const blob = openBlob(openLayout(layout).blobSource(layers[0]!))
  try {
    blob.verify()
  } finally {
    blob.close()
  }
}

/** Moves the layer's file, and leaves a link. */
function linkTo(place: string, target: string): void {
  renameSync(layer, place)
  symlinkSync(target, layer)
}

describe('a link is followed', () => {
  test.each<[what: string, make: () => void]>([
    [
      'beside its directory, as debuerreotype has it',
      () => linkTo(`${layout}/blobs/l.tar.gz`, '../l.tar.gz')
    ],
    ['at the top of the layout', () => linkTo(`${layout}/rootfs.tar`, '../../rootfs.tar')],
    ['by an absolute path', () => linkTo(`${layout}/x`, `${layout}/x`)],
    [
      'through a chain',
      () => {
        linkTo(`${layout}/real`, '../../one')
        symlinkSync('two', `${layout}/one`)
        symlinkSync('real', `${layout}/two`)
      }
    ],
    [
      'in a layout whose own path is a link',
      () => {
        linkTo(`${layout}/x`, '../../x')
        renameSync(layout, `${work}/real`)
        symlinkSync('real', layout)
      }
    ]
  ])('%s', (_what, make) => {
    make()
    expect(() => readLayer()).not.toThrow()
  })

  test('for documents too, and its content is verified', () => {
    const manifest = blobPath(layout, image.manifest)
    renameSync(manifest, `${layout}/blobs/image-manifest.json`)
    symlinkSync('../image-manifest.json', manifest)
    expect(resolveImage(openLayout(layout), 't').rawManifest.length).toBe(image.manifest.size)
    rmSync(layer)
    symlinkSync('../../index.json', layer)
    expect(failure(readLayer).code).toMatch(/^BLOB_(SIZE|DIGEST)_MISMATCH$/)
  })
})

describe('a link is refused', () => {
  test.each<[found: string, what: string, make: () => void]>([
    [
      'a link that leads out of the layout',
      'to a sound blob beside it',
      () => linkTo(`${work}/x`, '../../../x')
    ],
    [
      'a link that leads out of the layout',
      'to a directory whose name begins with that of the layout',
      () => {
        mkdirSync(`${layout}2`)
        linkTo(`${layout}2/x`, `${layout}2/x`)
      }
    ],
    [
      'a link that leads out of the layout',
      'through a directory that leads out',
      () => {
        symlinkSync('..', `${layout}/up`)
        linkTo(`${work}/x`, '../../up/x')
      }
    ],
    ['a link that leads out of the layout', 'to a device', () => linkTo(`${work}/x`, '/dev/zero')],
    ['a link to a missing file', 'to nothing', () => linkTo(`${work}/x`, '../nothing')],
    ['links that lead in a circle', 'to itself', () => linkTo(`${work}/x`, layer)],
    [
      'a link to something that is not a regular file',
      'to a FIFO, which is not opened',
      () => {
        linkTo(`${work}/x`, '../fifo')
        execFileSync('mkfifo', [`${layout}/blobs/fifo`])
      }
    ],
    [
      'a link to something that is not a regular file',
      'to a directory',
      () => linkTo(`${work}/x`, '.')
    ]
  ])('as %s: %s', (found, _what, make) => {
    make()
    const error = failure(readLayer)
    expect(error).toMatchObject({ code: 'BLOB_INVALID', facts: { file: layer, found } })
    expect(error.hint).toContain('cp -rL')
  })
})

test('a collection keeps links, and the file that a needed link leads to', () => {
  const sha512 = `${layout}/blobs/sha512`
  mkdirSync(sha512)
  const bytes = Buffer.from('{"mediaType":"application/x+json"}')
  const unnamed = digestOf(bytes)
  const target = `${layout}/blobs/sha256/${unnamed.slice(7)}`
  writeFileSync(target, bytes)
  const link = digestOf(bytes, 'sha512')
  symlinkSync(`../sha256/${unnamed.slice(7)}`, `${sha512}/${link.slice(7)}`)
  const unneeded = `${layout}/blobs/sha256/${'ef'.repeat(32)}`
  symlinkSync('../../index.json', unneeded)
  const garbage = digestOf(Buffer.from('garbage'))
  writeFileSync(`${layout}/blobs/sha256/${garbage.slice(7)}`, 'garbage')
  const other = { mediaType: 'application/x+json', digest: link, size: bytes.length }
  writeFileSync(
    `${layout}/index.json`,
    JSON.stringify({ schemaVersion: 2, manifests: [other, image.manifest] })
  )
  const removed = tryCollectGarbage(openLayout(layout))!
  expect(removed.blobs.map(({ digest }): Digest => digest)).toEqual([garbage])
  expect(existsSync(target)).toBe(true)
  expect(lstatSync(unneeded).isSymbolicLink()).toBe(true)
})
