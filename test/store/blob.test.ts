import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestOf, type Digest } from '../../src/image/digest.ts'
import { openBlob, type VerifiedBlob } from '../../src/store/blob.ts'
import type { BlobSource } from '../../src/store/blob-source.ts'
import { failure } from '../image/errors.ts'

const MIB = 1024 * 1024
let directory: string
let path: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'blob-test-'))
  path = join(directory, 'blob')
})
afterEach(() => rmSync(directory, { recursive: true }))

/** A source that promises `promised`, for whatever the file holds. */
function promise(promised: Buffer): BlobSource {
  return { digest: digestOf(promised), size: promised.length, path }
}

function readAll(blob: VerifiedBlob): Buffer {
  const chunks: Buffer[] = []
  for (let chunk = blob.read(); chunk !== undefined; chunk = blob.read())
    chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

function readAndVerify(source: BlobSource): Buffer {
  const blob = openBlob(source)
  try {
    const bytes = readAll(blob)
    blob.verify()
    return bytes
  } finally {
    blob.close()
  }
}

describe('a sound blob', () => {
  test.each([0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 7])(
    'of %i bytes is read and verified',
    (size) => {
      const bytes = Buffer.alloc(size, 'pattern')
      writeFileSync(path, bytes)
      expect(readAndVerify(promise(bytes)).equals(bytes)).toBe(true)
      expect(
        readAndVerify({ ...promise(bytes), path: '/nowhere', data: bytes }).equals(bytes)
      ).toBe(true)
    }
  )

  test('is verified to the end, also where only a part of it was read', () => {
    const bytes = Buffer.alloc(2 * MIB + 5, 'x')
    writeFileSync(path, bytes)
    const blob = openBlob(promise(bytes))
    blob.read()
    blob.verify()
    blob.verify()
    blob.close()
    blob.close()
  })

  test('may have a sha512 digest', () => {
    const bytes = Buffer.from('content')
    writeFileSync(path, bytes)
    const source = { ...promise(bytes), digest: digestOf(bytes, 'sha512') }
    expect(readAndVerify(source)).toEqual(bytes)
  })

  test('leaves the offset of its descriptor alone, and closes it', () => {
    const bytes = Buffer.from('content')
    writeFileSync(path, bytes)
    const blob = openBlob(promise(bytes))
    readAll(blob)
    const other = Buffer.alloc(7)
    expect(readSync(blob.fd!, other, 0, 7, null)).toBe(7)
    expect(other).toEqual(bytes)
    blob.close()
    expect(() => fstatSync(blob.fd!)).toThrow('EBADF')
  })
})

describe('a damaged blob', () => {
  test('is found out wherever one bit is flipped', () => {
    const bytes = Buffer.alloc(300, 'pattern')
    fc.assert(
      fc.property(fc.nat(299), fc.nat(7), (position, bit) => {
        const flipped = Buffer.from(bytes)
        flipped[position]! ^= 1 << bit
        writeFileSync(path, flipped)
        const error = failure(() => readAndVerify(promise(bytes)))
        expect(error.code).toBe('BLOB_DIGEST_MISMATCH')
        expect(error.facts).toEqual({
          file: path,
          expected: digestOf(bytes),
          found: digestOf(flipped)
        })
      })
    )
  })

  test.each([0, 1, 299])('is found out when cut to %i bytes', (length) => {
    const bytes = Buffer.alloc(300, 'x')
    writeFileSync(path, bytes.subarray(0, length))
    const error = failure(() => readAndVerify(promise(bytes)))
    expect(error.code).toBe('BLOB_SIZE_MISMATCH')
    expect(error.facts).toEqual({ file: path, expected: '300 bytes', found: `${length} bytes` })
  })

  test('is found out when it is too long, though the promised part is right', () => {
    const bytes = Buffer.alloc(300, 'x')
    writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(1)]))
    expect(failure(() => readAndVerify(promise(bytes))).code).toBe('BLOB_SIZE_MISMATCH')
  })

  test('is found out when it grows or shrinks while it is read', () => {
    const bytes = Buffer.alloc(2 * MIB, 'x')
    for (const change of [() => appendFileSync(path, 'y'), () => writeFileSync(path, 'short')]) {
      writeFileSync(path, bytes)
      const blob = openBlob(promise(bytes))
      blob.read()
      change()
      expect(failure(() => blob.verify()).code).toBe('BLOB_SIZE_MISMATCH')
      blob.close()
    }
  })

  test('is found out when it is embedded', () => {
    const bytes = Buffer.from('content')
    const embedded = (data: Buffer) =>
      failure(() => readAndVerify({ ...promise(bytes), data })).code
    expect(embedded(Buffer.from('c0ntent'))).toBe('BLOB_DIGEST_MISMATCH')
    expect(embedded(Buffer.from('content!'))).toBe('BLOB_SIZE_MISMATCH')
    expect(embedded(Buffer.from('conten'))).toBe('BLOB_SIZE_MISMATCH')
    expect(embedded(Buffer.alloc(0))).toBe('BLOB_SIZE_MISMATCH')
  })
})

describe('what is no blob', () => {
  const source = (): BlobSource => promise(Buffer.from('content'))

  test('is refused where it is missing, with what to do', () => {
    const error = failure(() => openBlob(source()))
    expect(error.code).toBe('BLOB_NOT_FOUND')
    expect(error.hint).toContain('Copy the image again')
  })

  test.each<[string, () => unknown, string]>([
    ['a symlink to a sound blob', () => link('content'), 'symlink'],
    [
      'a FIFO, without waiting for a writer',
      () => execFileSync('mkfifo', [path]),
      'not a regular file'
    ],
    ['a directory', () => mkdirSync(path), 'not a regular file'],
    ['an endless device', () => device(), 'not a regular file']
  ])('is refused where it is %s', (_what, make, found) => {
    make()
    const error = failure(() => openBlob(source()))
    expect(error.code).toBe('BLOB_INVALID')
    expect(error.facts).toMatchObject({ file: path, found })
  })

  test('is refused where its algorithm is unknown', () => {
    const digest = `blake3:${'0'.repeat(64)}` as Digest
    expect(failure(() => openBlob({ ...source(), digest })).code).toBe('DIGEST_INVALID')
  })

  function link(content: string): void {
    writeFileSync(join(directory, 'real'), content)
    symlinkSync('real', path)
  }

  function device(): void {
    path = '/dev/zero'
  }
})
