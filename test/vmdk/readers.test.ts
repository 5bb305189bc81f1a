/**
 * How programs read descriptors, with what they misunderstand without a word. The model of qemu is compared with
 * qemu-img itself.
 */
import { closeSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Disk, Extent } from '../../src/vmdk/disk.ts'
import { cloudHypervisor } from '../../src/vmdk/cloud-hypervisor.ts'
import { vmdkDescriptor } from '../../src/vmdk/descriptor.ts'
import { imago } from '../../src/vmdk/imago.ts'
import { qemu } from '../../src/vmdk/qemu.ts'
import { checkWithReaders, difference, READERS } from '../../src/vmdk/readers.ts'
import { needs } from '../support/requires.ts'
import { ok, run } from '../support/run.ts'
import { withTemporary } from '../support/temporary.ts'

interface Parts {
  first?: string
  version?: string
  ids?: string
  type?: string
  heading?: string
  extents?: string
  database?: string
}

const DATABASE =
  '# The Disk Data Base\n#DDB\n\nddb.geometry.cylinders = "6"\nddb.geometry.heads = "16"\nddb.geometry.sectors = "63"\n'

/** A descriptor as erofs-utils writes it, with some parts replaced. */
function descriptor(parts: Parts): string {
  const { first = '# Disk DescriptorFile\n', version = 'version=1\n' } = parts
  const { ids = 'CID=1\nparentCID=ffffffff\n', type = 'createType="twoGbMaxExtentFlat"\n' } = parts
  const { heading = '\n# Extent description\n', extents = A + B } = parts
  return first + version + ids + type + heading + extents + '\n' + (parts.database ?? DATABASE)
}

const A = 'RW 2048 FLAT "a" 0\n'
const B = 'RW 3000 FLAT "b" 0\n'

const a: Extent = { name: 'a', sectors: 2048, start: 0 }
const b: Extent = { name: 'b', sectors: 3000, start: 0 }
const b4096: Extent = { name: 'b', sectors: 3000, start: 4096 * 512 }

/** `no`: there is no disk. */
type Outcome = readonly Extent[] | 'no'

interface Case {
  name: string
  parts: Parts
  qemu: Outcome
  imago: Outcome
  cloud: Outcome
}

const good = [a, b]
const everyone = { qemu: good, imago: good, cloud: good }
const nobody = { qemu: 'no', imago: 'no', cloud: 'no' } as const

const cases: Case[] = [
  { name: 'what mkfs.erofs writes', parts: {}, ...everyone },
  { name: 'monolithicFlat', parts: { type: 'createType="monolithicFlat"\n' }, ...everyone },
  {
    name: 'another type',
    parts: { type: 'createType="fullDevice"\n' },
    ...nobody,
    imago: good
  },
  { name: 'no type', parts: { type: '' }, ...nobody, imago: good },
  {
    name: 'a start, which counts sectors',
    parts: { extents: A + 'RW 3000 FLAT "b" 4096\n' },
    qemu: [a, b4096],
    imago: [a, { ...b, start: 4096 }],
    cloud: [a, b4096]
  },
  {
    name: 'no start',
    parts: { extents: A + 'RW 3000 FLAT "b"\n' },
    ...nobody,
    cloud: good
  },
  {
    name: 'an extent that may only be read',
    parts: { extents: A + 'RDONLY 3000 FLAT "b" 0\n' },
    ...everyone,
    qemu: [a]
  },
  {
    name: 'an extent of zeros',
    parts: { extents: 'RW 2048 ZERO\n' + B },
    qemu: [b],
    imago: [{ sectors: 2048, start: 0 }, b],
    cloud: 'no'
  },
  {
    name: 'an empty line before an extent',
    parts: { extents: A + '\n' + B },
    ...everyone,
    qemu: [a, b, b]
  },
  { name: 'spaces before an extent', parts: { extents: A + '  ' + B }, ...everyone },
  {
    name: 'tabs between fields',
    parts: { extents: A + B.replaceAll(' ', '\t') },
    qemu: good,
    imago: [a],
    cloud: good
  },
  {
    name: 'a name with a space',
    parts: { extents: A + 'RW 3000 FLAT "b c" 0\n' },
    ...nobody,
    qemu: [a, { ...b, name: 'b c' }]
  },
  {
    name: 'a name with a quotation mark',
    parts: { extents: A + 'RW 3000 FLAT "b"c" 0\n' },
    qemu: 'no',
    imago: [a, { ...b, name: 'b"c' }],
    cloud: [a, { ...b, name: 'b"c' }]
  },
  {
    name: 'a name without quotes',
    parts: { extents: A + 'RW 3000 FLAT b 0\n' },
    qemu: [a],
    imago: 'no',
    cloud: good
  },
  {
    name: 'a name that is not UTF-8',
    parts: { extents: A + 'RW 3000 FLAT "\xff" 0\n' },
    ...nobody,
    qemu: [a, { ...b, name: '\xff' }]
  },
  {
    name: 'a name of 512 bytes',
    parts: { extents: `RW 3000 FLAT "${'n'.repeat(512)}" 0\n` },
    qemu: 'no',
    imago: [{ ...b, name: 'n'.repeat(512) }],
    cloud: [{ ...b, name: 'n'.repeat(512) }]
  },
  {
    name: 'lines that end as on Windows',
    parts: {
      first: '# Disk DescriptorFile\r\n',
      version: 'version=1\r\n',
      extents: A.replace('\n', '\r\n') + B
    },
    ...everyone
  },
  { name: 'another first line', parts: { first: '# A disk\n' }, ...everyone, cloud: 'no' },
  {
    name: 'an empty line before the version',
    parts: { first: '# Disk DescriptorFile\n\n' },
    ...everyone,
    qemu: 'no'
  },
  {
    name: 'a long comment before the version',
    parts: { first: `# Disk DescriptorFile\n#${' '.repeat(512)}\n` },
    ...everyone,
    qemu: 'no',
    cloud: 'no'
  },
  { name: 'version 4', parts: { version: 'version=4\n' }, ...nobody, cloud: good },
  { name: 'no version', parts: { version: '' }, qemu: 'no', imago: good, cloud: good },
  {
    name: 'an encoding, as VMware writes it',
    parts: { version: 'version=1\nencoding="UTF-8"\n' },
    ...everyone,
    imago: 'no'
  },
  {
    name: 'no identifier but that of the parent',
    parts: { ids: 'parentCID=ffffffff\n' },
    ...everyone
  },
  { name: 'no identifier of the parent', parts: { ids: 'CID=1\n' }, ...everyone, qemu: 'no' },
  { name: 'no heading above the extents', parts: { heading: '' }, ...everyone, cloud: 'no' },
  {
    name: 'a comment between extents',
    parts: { extents: A + '# more\n' + B },
    ...everyone,
    cloud: 'no'
  },
  { name: 'no extents', parts: { extents: '' }, ...nobody, imago: [] },
  {
    name: 'an extent without sectors',
    parts: { extents: 'RW 0 FLAT "a" 0\n' + B },
    qemu: [b],
    imago: [{ ...a, sectors: 0 }, b],
    cloud: 'no'
  },
  {
    name: 'an extent that is not a number',
    parts: { extents: A + 'RW x FLAT "b" 0\n' },
    ...nobody,
    qemu: [a]
  },
  {
    name: 'an access that is longer',
    parts: { extents: A + 'RWX 3000 FLAT "b" 0\n' },
    qemu: [a],
    imago: [a],
    cloud: 'no'
  },
  {
    name: 'a NUL, and what follows it',
    parts: { extents: A + '\0' + B },
    qemu: [a],
    imago: [a],
    cloud: 'no'
  }
]

function extentsOf(disk: Disk | string): Outcome {
  return typeof disk === 'string' ? 'no' : disk.extents
}

test.each(cases)('$name', ({ parts, ...wanted }) => {
  const text = descriptor(parts)
  expect({
    qemu: extentsOf(qemu(text)),
    imago: extentsOf(imago(text)),
    cloud: extentsOf(cloudHypervisor(text))
  }).toEqual({ qemu: wanted.qemu, imago: wanted.imago, cloud: wanted.cloud })
})

test('libkrun takes the length from the geometry alone', () => {
  expect(imago(descriptor({}))).toMatchObject({ sectors: 6 * 1008 })
  expect(imago(descriptor({ database: '' }))).toMatchObject({ sectors: 0 })
})

test('what a reader would see differently is noticed', () => {
  const files = [
    { name: 'a', size: 2048 * 512 },
    { name: 'b', size: 3000 * 512 }
  ]
  const faults = (parts: Parts): (string | undefined)[] =>
    Object.values(READERS).map((read) => difference(read, descriptor(parts), files))
  expect(faults({})).toEqual([undefined, undefined, undefined])
  expect(faults({ extents: B + A })).toEqual(Array(3).fill('the extents are others'))
  expect(faults({ extents: A + 'RDONLY 3000 FLAT "b" 0\n' })).toEqual([
    'the extents are others',
    undefined,
    undefined
  ])
  expect(faults({ database: '' })).toEqual([undefined, 'the disk has 0 sectors', undefined])
  expect(() => checkWithReaders(descriptor({ database: '' }), files)).toThrow(
    'imago (libkrun) would not see the disk: the disk has 0 sectors'
  )
})

/** What `qemu-img` says of each case, if it opens the descriptor as a VMDK. */
test.runIf(needs('qemu-img'))('qemu-img reads every case as the model of qemu does', () => {
  withTemporary((directory) => {
    for (const name of ['a', 'b', 'b c', '\xff']) {
      const file = Buffer.from(join(directory, name), 'latin1')
      writeFileSync(file, '')
      truncateSync(file, 8192 * 512)
    }
    for (const { name, parts } of cases) {
      const file = join(directory, 'disk.vmdk')
      writeFileSync(file, descriptor(parts), 'latin1')
      const disk = qemu(descriptor(parts))
      const wanted = typeof disk === 'string' ? 'no' : disk.sectors * 512
      expect({ name, size: virtualSize(file) }).toEqual({ name, size: wanted })
    }
  })
})

function virtualSize(file: string): number | 'no' {
  const { status, stdout } = run('qemu-img', 'info', '--output=json', file)
  if (status !== 0) return 'no'
  const info = JSON.parse(stdout) as { format: string; 'virtual-size': number }
  return info.format === 'vmdk' ? info['virtual-size'] : 'no'
}

test.runIf(needs('qemu-img', 'qemu-io'))(
  'qemu sees what is written, also beyond 2 GiB and to write',
  () => {
    withTemporary((directory) => {
      const sizes = [4096, 5 * 2 ** 31 + 512, 3 * 2 ** 40, 512]
      const files = sizes.map((size, i) => ({ name: `f${i}`, size }))
      let end = 0
      const reads = files.flatMap(({ name, size }, i) => {
        const fd = openSync(join(directory, name), 'w')
        writeSync(fd, Buffer.alloc(512, i + 1), 0, 512, size - 512)
        closeSync(fd)
        end += size
        return ['-c', `read -P ${i + 1} ${end - 512} 512`]
      })
      const disk = join(directory, 'disk.vmdk')
      writeFileSync(disk, vmdkDescriptor(files, new Uint8Array(16)))
      expect(virtualSize(disk)).toBe(end)
      expect(ok('qemu-io', '-r', ...reads, disk).stdout).not.toContain(
        'Pattern verification failed'
      )
      expect(ok('qemu-io', ...reads, disk).stdout).not.toContain('Pattern verification failed')
    })
  }
)
