import { readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openOciArchive } from '../../src/transports/read-oci-archive.ts'
import type { Digest } from '../../src/image/digest.ts'
import type { Descriptor } from '../../src/image/types.ts'
import { openBlob } from '../../src/store/blob.ts'
import { resolveImage } from '../../src/store/resolve.ts'
import { failure } from '../image/errors.ts'
import { blobPath, buildImage, type BuiltImage } from '../support/image-builder.ts'
import { ok } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

let work: string
let archive: string
let image: BuiltImage
beforeEach(() => {
  work = makeTemporary()
  archive = `${work}/a.tar`
  image = buildImage(`${work}/layout`, { layers: [tar(file('a', 'body'))], tag: 't' })
})
afterEach(() => removeTemporary(work))

function pack(): void {
  ok('tar', '-cf', archive, '-C', image.layout, '.')
}

function layer(): Descriptor {
  return { ...image.layers[0]!, digest: image.layers[0]!.digest as Digest }
}

/** Reads the layer to its end. */
function readLayer(descriptor: Descriptor = layer()): Buffer[] {
  const blob = openBlob(openOciArchive(archive).blobSource(descriptor))
  try {
    const chunks = []
    for (let chunk = blob.read(); chunk !== undefined; chunk = blob.read())
      chunks.push(Buffer.from(chunk))
    blob.verify()
    return chunks
  } finally {
    blob.close()
  }
}

test('an archive of a layout is read as the layout is', () => {
  pack()
  for (const tag of ['t', undefined])
    expect(resolveImage(openOciArchive(archive), tag).rawManifest).toEqual(
      readFileSync(blobPath(image.layout, image.manifest))
    )
  expect(Buffer.concat(readLayer())).toEqual(readFileSync(blobPath(image.layout, layer())))
})

test('no program can have a blob in an archive as its input: the file has more in it', () => {
  pack()
  const blob = openBlob(openOciArchive(archive).blobSource(layer()))
  expect(blob.fd).toBeUndefined()
  blob.close()
})

test('an archive without oci-layout is read, with a warning', () => {
  rmSync(`${image.layout}/oci-layout`)
  pack()
  const warnings: string[] = []
  const source = openOciArchive(archive, { onWarning: (message) => warnings.push(message) })
  expect(resolveImage(source, 't').manifest.layers).toHaveLength(1)
  expect(warnings).toEqual(['The layout has no version file, and is read as version 1.'])
})

describe('refuses', () => {
  test('a blob of another size, longer or shorter', () => {
    pack()
    const descriptor = layer()
    for (const size of [descriptor.size - 1, descriptor.size + 1])
      expect(failure(() => readLayer({ ...descriptor, size })).code).toBe('BLOB_SIZE_MISMATCH')
  })

  test('a blob with a flipped bit', () => {
    pack()
    const { section } = openOciArchive(archive).blobSource(layer())
    const bytes = readFileSync(archive)
    bytes[section!.offset + 30]! ^= 4
    writeFileSync(archive, bytes)
    expect(failure(() => readLayer())).toMatchObject({
      code: 'BLOB_DIGEST_MISMATCH',
      facts: { file: archive, offset: section!.offset }
    })
  })

  test('a blob that is not there, and names it as a place in the archive', () => {
    rmSync(blobPath(image.layout, layer()))
    pack()
    const error = failure(() => readLayer())
    expect(error.code).toBe('BLOB_NOT_FOUND')
    expect(error.facts.file).toMatch(/a\.tar\/blobs\/sha256\/[0-9a-f]{64}$/)
  })

  test('a blob that is a link out of the archive', () => {
    const path = blobPath(image.layout, layer())
    rmSync(path)
    symlinkSync('/etc/passwd', path)
    pack()
    expect(failure(() => readLayer())).toMatchObject({
      code: 'BLOB_INVALID',
      facts: { found: 'a link that leads out of the archive' }
    })
  })

  test('an archive that is cut short after it was opened', () => {
    pack()
    const source = openOciArchive(archive).blobSource(layer())
    truncateSync(archive, source.section!.offset + 3)
    expect(failure(() => openBlob(source).verify()).code).toBe('BLOB_SIZE_MISMATCH')
  })

  test.each([[['index.json']], [['oci-layout', 'index.json']]])(
    'an archive without %s',
    (names) => {
      for (const name of names) rmSync(`${image.layout}/${name}`)
      pack()
      expect(failure(() => openOciArchive(archive).readIndex()).code).toBe('ARCHIVE_INVALID')
    }
  )

  test('a layout of another version', () => {
    writeFileSync(`${image.layout}/oci-layout`, '{"imageLayoutVersion":"2.0.0"}')
    pack()
    expect(failure(() => openOciArchive(archive)).code).toBe('LAYOUT_INVALID')
  })
})
