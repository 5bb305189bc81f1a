import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestOf, type Digest } from '../../src/image/digest.ts'
import { openLayout } from '../../src/store/layout.ts'
import { failure, failureCode } from '../image/errors.ts'
import { buildLayout, type TestLayout } from './build-layout.ts'

let built: TestLayout
beforeEach(() => {
  built = buildLayout()
})
afterEach(() => built.remove())

const inside = (name: string): string => join(built.path, name)

describe('openLayout', () => {
  test('makes the path absolute', () => {
    expect(openLayout(relative('.', built.path)).path).toBe(built.path)
  })

  test.each<[string, () => void, string, string]>([
    ['nothing is there', () => rmSync(built.path, { recursive: true }), '', 'is not a directory'],
    ['only index.json is there', onlyIndex, 'oci-layout', 'is missing'],
    [
      'oci-layout is a directory',
      () => replaceByDirectory('oci-layout'),
      'oci-layout',
      'not a file'
    ],
    ['oci-layout is a FIFO', () => replaceByFifo('oci-layout'), 'oci-layout', 'not a file'],
    [
      'oci-layout is not JSON',
      () => writeFileSync(inside('oci-layout'), '{'),
      'oci-layout',
      'JSON'
    ],
    [
      'the version is unknown',
      () => writeFileSync(inside('oci-layout'), '{"imageLayoutVersion":"2.0.0"}'),
      'oci-layout',
      'found "2.0.0"'
    ],
    [
      'the version is absent',
      () => writeFileSync(inside('oci-layout'), '{}'),
      'oci-layout',
      'is missing'
    ],
    ['blobs is missing', () => rmSync(inside('blobs'), { recursive: true }), 'blobs', 'directory'],
    ['index.json is missing', () => rmSync(inside('index.json')), 'index.json', 'is not a file'],
    ['index.json is a FIFO', () => replaceByFifo('index.json'), 'index.json', 'is not a file']
  ])('refuses where %s, and says what to do', (_what, damage, file, reason) => {
    damage()
    const error = failure(() => openLayout(built.path))
    expect(error.code).toBe('LAYOUT_INVALID')
    expect(error.facts.file).toBe(join(built.path, file))
    expect(error.facts.reason).toContain(reason)
    expect(error.hint).toContain('skopeo copy')
  })

  test('warns of a layout without oci-layout', () => {
    rmSync(inside('oci-layout'))
    const warnings: unknown[] = []
    const layout = openLayout(built.path, { onWarning: (...warning) => warnings.push(warning) })
    expect(layout.readIndex().manifests).toEqual([])
    expect(warnings).toEqual([
      ['The layout has no version file, and is read as version 1.', { file: inside('oci-layout') }]
    ])
  })

  test('takes layouts of later 1.x versions', () => {
    writeFileSync(inside('oci-layout'), '{"imageLayoutVersion":"1.1.0"}')
    expect(openLayout(built.path).readIndex().manifests).toEqual([])
  })

  function onlyIndex(): void {
    rmSync(inside('oci-layout'))
    rmSync(inside('blobs'), { recursive: true })
  }

  function replaceByDirectory(name: string): void {
    rmSync(inside(name))
    mkdirSync(inside(name))
  }

  function replaceByFifo(name: string): void {
    rmSync(inside(name))
    execFileSync('mkfifo', [inside(name)])
  }
})

describe('readIndex', () => {
  test('names file and place where index.json is not valid', () => {
    writeFileSync(inside('index.json'), '{"schemaVersion":2,"manifests":{}}')
    const error = failure(() => openLayout(built.path).readIndex())
    expect(error.code).toBe('DOCUMENT_INVALID')
    expect(error.facts).toMatchObject({ file: inside('index.json'), pointer: '/manifests' })
  })

  test('takes an index of any type, because no descriptor says which it must be', () => {
    const mediaType = 'application/vnd.docker.distribution.manifest.list.v2+json'
    const manifests = [built.image()]
    writeFileSync(inside('index.json'), JSON.stringify({ schemaVersion: 2, mediaType, manifests }))
    expect(openLayout(built.path).readIndex().manifests).toEqual(manifests)
  })

  test('leaves out entries that are not valid, with one warning', () => {
    const image = built.image()
    const manifests = [{}, image, null, { ...image, size: -1 }]
    writeFileSync(inside('index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
    const warnings: unknown[] = []
    const layout = openLayout(built.path, { onWarning: (...warning) => warnings.push(warning) })
    expect(layout.readIndex().manifests).toEqual([image])
    expect(layout.readIndex().manifests).toEqual([image])
    expect(warnings).toMatchObject([
      [
        '3 entries of the index are not valid and are ignored.',
        { file: inside('index.json'), pointer: '/manifests/0/digest' }
      ]
    ])
  })

  test('refuses an index above the limit', () => {
    writeFileSync(inside('index.json'), `{"schemaVersion":2,"manifests":[]}${' '.repeat(1000)}`)
    const layout = openLayout(built.path, { maxDocumentSize: 1000 })
    expect(failureCode(() => layout.readIndex())).toBe('LIMIT_EXCEEDED')
    expect(openLayout(built.path, { maxDocumentSize: 1034 }).readIndex().manifests).toEqual([])
  })
})

describe('readDocument', () => {
  test('gives the verified bytes of a blob', () => {
    const descriptor = built.blob('{}', 'application/json')
    expect(openLayout(built.path).readDocument(descriptor).toString()).toBe('{}')
  })

  test('uses embedded data, which needs no blob', () => {
    const bytes = Buffer.from('{"embedded":true}')
    const descriptor = {
      mediaType: 'application/json',
      digest: digestOf(bytes),
      size: bytes.length,
      data: bytes.toString('base64')
    }
    expect(openLayout(built.path).readDocument(descriptor)).toEqual(bytes)
    const damaged = { ...descriptor, data: Buffer.from('{"embedded":tRue}').toString('base64') }
    expect(failureCode(() => openLayout(built.path).readDocument(damaged))).toBe(
      'BLOB_DIGEST_MISMATCH'
    )
  })

  test('refuses a document above the limit before it opens the blob', () => {
    const descriptor = { mediaType: 'a/b', digest: digestOf(Buffer.alloc(0)), size: 5_000_000 }
    expect(failureCode(() => openLayout(built.path).readDocument(descriptor))).toBe(
      'LIMIT_EXCEEDED'
    )
  })
})

describe('blobPath and hasBlob', () => {
  test('know the blobs directory of each algorithm', () => {
    const layout = openLayout(built.path)
    const { digest } = built.blob('x', 'a/b')
    expect(layout.blobPath(digest)).toBe(inside(`blobs/sha256/${digest.slice(7)}`))
    expect(layout.hasBlob(digest)).toBe(true)
    expect(layout.hasBlob(digestOf(Buffer.from('y'), 'sha512'))).toBe(false)
  })

  test('never leave the layout, whatever a digest says', () => {
    const layout = openLayout(built.path)
    for (const digest of ['sha256:../../oci-layout', '../x:y', `blake3:${'0'.repeat(64)}`]) {
      expect(failureCode(() => layout.blobPath(digest as Digest))).toBe('DIGEST_INVALID')
    }
  })

  test('take a blobs directory that is a link to a shared one', () => {
    const { digest } = built.blob('x', 'a/b')
    execFileSync('mv', [inside('blobs'), inside('shared')])
    symlinkSync('shared', inside('blobs'))
    expect(openLayout(built.path).hasBlob(digest)).toBe(true)
  })
})
