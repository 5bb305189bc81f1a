/** A real Debian image, looked into and unpacked: the same on every field. */
import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { library } from '../support/dist.ts'
import { diskLines, listedLines } from '../support/file-lines.ts'
import { longTests, needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackOk } from './cli.ts'
import { DEBIAN_NEEDS, debianLayout } from './debian-image.ts'

const runnable = longTests() && needs(...DEBIAN_NEEDS)

describe.runIf(runnable)('a real Debian image', { timeout: 300_000 }, () => {
  let work: string
  let layout: string
  let unpacked: string[]

  beforeAll(() => {
    work = makeTemporary()
    layout = debianLayout()
    ociUnpackOk('raw', 'unpack', '--image', `${layout}:debian`, `${work}/rootfs`)
    unpacked = diskLines(`${work}/rootfs`)
  }, 600_000)
  afterAll(() => removeTemporary(work))

  test.each(['debian', 'zstd', 'docker'])('%s lists as it unpacks', async (tag) => {
    const { files } = await library.listFiles({ image: `${layout}:${tag}` })
    expect(listedLines(files)).toEqual(unpacked)
  })

  test('with devices lists as it unpacks', async () => {
    const image = `${layout}:device`
    ociUnpackOk('raw', 'unpack', '--image', image, `${work}/device`)
    const { files } = await library.listFiles({ image })
    expect(listedLines(files)).toEqual(diskLines(`${work}/device`))
  })

  test('has the files that it unpacks to', async () => {
    const { files } = await library.listFiles({ image: `${layout}:debian` })
    const regular = [...files].filter(({ type }) => type === 'file')
    const few = regular.filter((_, index) => index % Math.ceil(regular.length / 20) === 0)
    for (const { path } of few) {
      const pieces: Buffer[] = []
      const write = (bytes: Uint8Array): void => void pieces.push(Buffer.from(bytes))
      await library.catFile({ image: `${layout}:debian`, path, write })
      const file = Buffer.concat([Buffer.from(`${work}/rootfs`), path])
      expect(Buffer.concat(pieces).equals(readFileSync(file)), file.toString()).toBe(true)
    }
  })

  test('is extracted as it is unpacked', () => {
    for (const path of ['etc', 'usr/bin'])
      ociUnpackOk('file', 'extract', '--image', `${layout}:debian`, path, `${work}/extracted`)
    for (const path of ['etc', 'usr/bin'])
      expect(
        compareTrees(`${work}/rootfs/${path}`, `${work}/extracted/${path}`, ['*:nlink'])
      ).toEqual([])
    expect(existsSync(`${work}/extracted/var`)).toBe(false)
  })
})
