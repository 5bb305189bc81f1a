/** A containerDisk in every form of layer, replaced and deleted by upper layers: as a file, and by the programs that speak NBD. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { imageInForm, layerForms } from '../support/layer-forms.ts'
import { noise } from '../support/noise.ts'
import { makeQcow2, QCOW2_PROGRAMS } from '../support/qcow2.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { directory, file, type Entry } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'

const MIB = 2 ** 20

describe.runIf(needs('nbdcopy', ...QCOW2_PROGRAMS))('a disk', () => {
  let work: string
  let disk: string
  let content: Buffer
  let layers: Entry[][]
  beforeAll(() => {
    work = makeTemporary()
    disk = `${work}/disk.qcow2`
    makeQcow2(disk, noise(2 * MIB))
    makeQcow2(`${work}/old.qcow2`, 'old'.repeat(100_000))
    content = readFileSync(disk)
    layers = [`${work}/old.qcow2`, disk].map((path) => [
      directory('disk'),
      file('disk/disk.qcow2', readFileSync(path)),
      file('disk.txt', 'about the disk')
    ])
  })
  afterAll(() => removeTemporary(work))

  describe.each(layerForms().map((form) => [form.name, form] as const))('in %s', (name, form) => {
    let box: string
    let image: string
    beforeAll(() => {
      box = `${work}/${name.replaceAll(/\W/g, '-')}`
      image = imageInForm(box, form, layers)
    })

    test('is exported', () => {
      const output = `${box}/exported`
      ociUnpackOk('file', 'export', '--image', image, '--disk', output)
      expect(readFileSync(output).equals(content)).toBe(true)
      expect(statSync(output).blocks * 512).toBeLessThan(content.length - MIB)
    })

    test('is copied by nbdcopy and qemu-img, which shows the holes', () => {
      const map = `${box}/map`
      const { status, stderr } = ociUnpack(
        ...['file', 'serve', '--image', image, '--index', `${box}/index`, '--disk', '--run'],
        `nbdcopy "$uri" ${box}/nbdcopy && qemu-img convert -f raw -O raw "$uri" ${box}/convert &&
         qemu-img map -f raw --output=json "$uri" >${map}`
      )
      expect([status, stderr]).toEqual([0, ''])
      for (const copy of ['nbdcopy', 'convert']) ok('cmp', `${box}/${copy}`, disk)
      expectHoles(JSON.parse(readFileSync(map, 'utf8')) as Extent[])
    })

    test('that an upper layer has deleted is not there', () => {
      const gone = `${box}-gone`
      const removed = imageInForm(gone, form, [layers[0]!, [file('disk/.wh.disk.qcow2')]])
      const output = `${gone}/exported`
      const { status, stderr } = ociUnpack('file', 'export', '--image', removed, '--disk', output)
      expect([status, stderr]).toEqual([1, expect.stringContaining('[PATH_NOT_FOUND]')])
      expect(existsSync(output)).toBe(false)
    })
  })

  interface Extent {
    start: number
    length: number
    zero: boolean
  }

  function expectHoles(map: readonly Extent[]): void {
    expect(map.reduce((sum, { length }) => sum + length, 0)).toBe(content.length)
    const holes = map.filter(({ zero }) => zero)
    expect(holes.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(MIB)
    for (const { start, length } of holes)
      expect(content.subarray(start, start + length).equals(Buffer.alloc(length))).toBe(true)
  }
})
