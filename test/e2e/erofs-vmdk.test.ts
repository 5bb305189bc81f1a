/** The disk for virtual machines: as qemu sees it, and as the kernel mounts it. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { withErofs } from '../support/erofs-mount.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { char, directory, fifo, file, hardlink, symlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'

const layers = [
  tar(
    directory('./', { mode: 0o1755, mtime: 5 }),
    directory('d/', { uid: 70_000, pax: { mtime: '1.123456789' } }),
    file('d/large', Buffer.alloc(300_001, 'large'), { mode: 0o4755 }),
    file('d/gone', 'gone'),
    file('x', 'x', { pax: { 'SCHILY.xattr.user.a': 'b' } }),
    symlink('l', 'd/large'),
    fifo('p'),
    char('c', 1, 3)
  ),
  tar(file('d/.wh.gone'), hardlink('d/again', 'd/large'), file('y', 'y'.repeat(5000))),
  // a layer without bodies, and one that comes twice
  tar(directory('e/')),
  tar(file('x', 'new')),
  tar(directory('e/'))
]

let base: string
let image: string

beforeAll(() => {
  base = makeTemporary()
  image = buildImage(join(base, 'layout'), { layers }).reference
})

afterAll(() => removeTemporary(base))

interface Made {
  merged: { name: string; size: number }
  linear?: { name: string }
  devices: { name: string }[]
  disk: { name: string; digest: string; size: number }
}

/** Makes the images in a directory that is then moved, and checks what erofs.json says of the descriptor. */
function make(
  name: string,
  ...flags: string[]
): { directory: string; made: Made; files: string[] } {
  const first = join(base, `${name} at first`)
  const { stdout } = ociUnpackOk('erofs', 'make', '--image', image, ...flags, '--json', first)
  const directory = join(base, name)
  renameSync(first, directory)
  const made = JSON.parse(readFileSync(join(directory, 'erofs.json'), 'utf8')) as Made
  expect(JSON.parse(stdout)).toEqual(made)
  const descriptor = readFileSync(join(directory, 'disk.vmdk'))
  const digest = `sha256:${createHash('sha256').update(descriptor).digest('hex')}`
  expect(made.disk).toEqual({ name: 'disk.vmdk', digest, size: descriptor.length })
  const files = [made.linear ?? made.merged, ...made.devices].map((part) => part.name)
  return { directory, made, files }
}

const CASES = [
  { form: 'devices', flag: '--vmdk', name: 'im "ages", ü = 1', begins: 'merged.erofs' },
  { form: 'linear', flag: '--vmdk=linear', name: 'x: old\nguests', begins: 'linear.erofs' }
]

test.runIf(needs('qemu-img'))('a disk is all files, one after the other', () => {
  for (const { name, flag, begins } of CASES) {
    const { directory, files } = make(name, flag)
    expect(files[0]).toBe(begins)
    expect(files).toHaveLength(1 + layers.length)
    const raw = join(base, 'raw')
    ok('qemu-img', 'convert', '-O', 'raw', join(directory, 'disk.vmdk'), raw)
    const whole = Buffer.concat(files.map((part) => readFileSync(join(directory, part))))
    expect(readFileSync(raw).equals(whole)).toBe(true)
    const info = ok('qemu-img', 'info', '--output=json', join(directory, 'disk.vmdk')).stdout
    expect(JSON.parse(info)).toMatchObject({ format: 'vmdk', 'virtual-size': whole.length })
  }
})

test.runIf(needs('qemu-img', 'root', 'loop', 'erofs', 'python3')).each(CASES)(
  'a disk of the form $form is mounted as what unpack makes',
  ({ form, flag }) => {
    const { directory } = make(form, flag)
    const raw = join(base, `${form}.raw`)
    ok('qemu-img', 'convert', '-O', 'raw', join(directory, 'disk.vmdk'), raw)
    const tree = join(base, `${form}.tree`)
    ociUnpackOk('raw', 'unpack', '--image', image, tree)
    const at = join(base, `${form}.at`)
    mkdirSync(at)
    withErofs(at, [raw], (mounted) => expect(compareTrees(mounted, tree)).toEqual([]))
  }
)

test('the same image gives the same disk, and the form changes no other file', () => {
  const { directory, files } = make('one', '--vmdk', '--jobs=1')
  const { directory: other, made } = make('other', '--vmdk=linear')
  const again = make('again', '--vmdk=devices').directory
  const content = (of: string, name: string): string => readFileSync(join(of, name), 'latin1')
  expect(content(again, 'disk.vmdk')).toBe(content(directory, 'disk.vmdk'))
  expect(content(again, 'erofs.json')).toBe(content(directory, 'erofs.json'))
  for (const name of files) expect(content(other, name) === content(directory, name)).toBe(true)
  expect(content(other, made.linear!.name)).not.toBe(content(directory, 'merged.erofs'))
})

test('a form that does not exist is refused', () => {
  const run = ociUnpack('erofs', 'make', '--image', image, '--vmdk=flat', join(base, 'none'))
  expect(run.status).toBe(1)
  expect(run.stderr).toContain('devices, linear')
})

test.each(['devices', 'linear'])('erofs verify checks the disk, too (%s)', (form) => {
  const { directory, made } = make(`verified ${form}`, `--vmdk=${form}`)
  expect(ociUnpack('erofs', 'verify', directory).status).toBe(0)
  const spoilt = [made.disk.name, ...(made.linear === undefined ? [] : [made.linear.name])]
  for (const name of spoilt) {
    const path = join(directory, name)
    const whole = readFileSync(path)
    const bytes = Buffer.from(whole)
    bytes[bytes.length - 2]! ^= 1
    writeFileSync(path, bytes)
    const { status, stdout } = ociUnpack('erofs', 'verify', '--json', directory)
    expect(status).toBe(1)
    const { files } = JSON.parse(stdout) as { files: { name: string; status: string }[] }
    expect(files.filter((file) => file.status !== 'ok').map((file) => file.name)).toEqual([name])
    writeFileSync(path, whole)
  }
})
