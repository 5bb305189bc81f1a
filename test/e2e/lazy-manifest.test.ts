/** `unpack --manifest lazy` by the built program, alone and beside Debian's umoci. */
import * as fs from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildImage, type BuiltImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { documents } from './both-programs.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'

let work = ''
let built: BuiltImage
beforeAll(() => {
  work = makeTemporary()
  const layer = tar(directory('./'), file('a', 'same'), file('b', 'same'), file('c', 'same'))
  built = buildImage(`${work}/layout`, { layers: [layer] })
})
afterAll(() => removeTemporary(work))

/** `a` is touched and is what it was; `b` looks as before and is not; `c` is newer. */
function edited(kind: string, name: string): string {
  const bundle = `${work}/${name}`
  ociUnpackOk('unpack', '--image', built.reference, '--manifest', kind, bundle)
  for (const [path, content] of ['same', 'diff'].entries()) {
    const at = `${bundle}/rootfs/${['a', 'b'][path]!}`
    const { atime, mtime } = fs.statSync(at)
    fs.writeFileSync(at, content)
    fs.utimesSync(at, atime, mtime)
  }
  fs.utimesSync(`${bundle}/rootfs/c`, 1_700_000_000, 1_700_000_000)
  return bundle
}

describe.runIf(needs('root'))('a lazy tree manifest', () => {
  test('gives the image that a full one gives, and stays lazy', () => {
    const images = ['full', 'lazy'].map((kind) => {
      const bundle = edited(kind, kind)
      expect(ociUnpackOk('diff', bundle).stdout).toMatch(/^M b.*\nM c.*\n$/)
      const image = `${built.layout}:${kind}`
      ociUnpackOk('repack', '--refresh-bundle', '--no-history', '--image', image, bundle)
      expect(ociUnpackOk('diff', bundle).stdout).toBe('')
      return documents(built.layout, kind).manifest
    })
    expect(images[1]).toEqual(images[0])
    expect(fs.readFileSync(`${work}/lazy/umoci.json`, 'utf8')).toContain('"lazy_manifest"')
  })

  test('is one of two kinds', () => {
    const words = ['unpack', '--image', built.reference, '--manifest', 'some', `${work}/none`]
    expect(ociUnpack(...words)).toMatchObject({ status: 1, stdout: '' })
    expect(fs.existsSync(`${work}/none`)).toBe(false)
  })

  test('of an image that is gone is no reason to fail', () => {
    const bundle = edited('lazy', 'gone')
    fs.renameSync(built.layout, `${work}/elsewhere`)
    try {
      const { stdout, stderr } = ociUnpackOk('diff', bundle)
      expect(stdout).toMatch(/^M a.*\nM b.*\nM c.*\n$/)
      expect(stderr).toMatch(/^warn: .*treated as changed/)
    } finally {
      fs.renameSync(`${work}/elsewhere`, built.layout)
    }
  })
})

describe.runIf(needs('root', 'umoci'))("Debian's umoci", () => {
  test('repacks a lazy bundle, by size and time alone', () => {
    const bundle = edited('lazy', 'theirs')
    ok('umoci', 'repack', '--refresh-bundle', '--image', `${built.layout}:theirs`, bundle)
    const { layers } = documents(built.layout, 'theirs').manifest
    const blob = `${built.layout}/blobs/${layers.at(-1)!.digest.replace(':', '/')}`
    expect(ok('tar', '-tzf', blob).stdout).toBe('c\n')
    expect(fs.readFileSync(`${bundle}/umoci.json`, 'utf8')).not.toContain('lazy_manifest')
  })
})
