/** Ctrl-C in the middle of every command: exit status 130, and all is as it was. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { COMMANDS } from '../../src/cli/commands/index.ts'
import {
  configureImage,
  diff,
  unpack,
  unpackRootfs,
  writeRuntimeConfig,
  type EngineEvent
} from '../../src/index.ts'
import { openLayout } from '../../src/store/layout.ts'
import { tryLock } from '../../src/sys/lock.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage, type Layer } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand, ociUnpackOk } from './cli.ts'
import { unpackFlags, unpackOptions } from '../support/whoever.ts'

let work: string
let box: string
let image: string
let child: ChildProcess | undefined
beforeEach(() => {
  work = makeTemporary()
  box = `${work}/box`
  fs.mkdirSync(box)
  image = buildImage(`${box}/layout`, { layers: [tar(file('x', 'x'))] }).reference
  fs.writeFileSync(`${work}/file`, tar(file('y')))
  fs.writeFileSync(
    `${work}/hangs`,
    `#!/bin/sh\necho $$ >${work}/.hanging\nmv ${work}/.hanging ${work}/hanging\nexec sleep 60\n`,
    {
      mode: 0o755
    }
  )
})
afterEach(() => {
  vi.unstubAllEnvs()
  child?.kill('SIGKILL')
  child = undefined
  removeTemporary(work)
})

/** Takes seconds to hash. */
const HUGE = 2 ** 34

/** Each command, and how it is held up in its middle. */
const CHANGING: Readonly<Record<string, () => string[]>> = {
  config: () => ['--author=B'],
  insert: () => [`${work}/file`, '/y'],
  'raw add-layer': () => [`${work}/file`],
  new: () => [],
  repack: () => ['--refresh-bundle', changedBundle()]
}
/** Changes of the index alone. */
const TAGGING: Readonly<Record<string, string[]>> = { tag: ['other'], remove: [] }
/** Over in a moment; what they make. */
const MOMENTARY: Readonly<Record<string, { args: () => string[]; makes?: string }>> = {
  init: { args: () => ['--layout', `${box}/new`], makes: 'new' },
  list: { args: () => ['--layout', `${box}/layout`, '--long'] },
  stat: { args: () => ['--image', image] },
  'raw runtime-config': { args: () => ['--image', image, `${box}/new`], makes: 'new' },
  'hooks check': { args: () => [hangingHooks()] },
  'erofs verify': { args: () => [erofsImages()] }
}
/** What holds up a decompressor. */
const READING: Readonly<Record<string, () => string[]>> = {
  unpack: () => ['--image', image, `${box}/out`],
  'raw unpack': () => ['--image', image, `${box}/out`],
  verify: () => ['--image', image],
  'erofs make': () => ['--image', image, `${box}/out`],
  copy: () => [image, `docker-archive:${box}/out`],
  'file list': () => ['--image', image],
  'file cat': () => ['--image', image, 'x'],
  'file extract': () => ['--image', image, 'x', `${box}/out`],
  'file export': () => ['--image', image, 'x', `${box}/out`]
}
/** Needs no decompressor. */
const INDEXING: Readonly<Record<string, () => string[]>> = {
  'file index': () => [],
  'file serve': () => ['--socket', `${box}/socket`, 'x']
}
const HASHING = ['bundle list', 'diff', 'raw mtree-validate']
const COMPRESSING = ['bundle save']
const WAITING = ['gc']
/** Done by one call of the kernel. */
const AT_ONCE = ['erofs mount', 'erofs umount']
/** What a hook holds up. */
const HOOKED: Readonly<Record<string, () => string[]>> = {
  'bundle delete': () => ['--hooks', hangingHooks(), hookedBundle()],
  'bundle mount': () => ['--hooks', hangingHooks('bundle.mount'), unmountedBundle()],
  'bundle prune': () => ['--keep=1', '--hooks', hangingHooks(), hookedBundles()],
  'bundle select': () => ['--hooks', hangingHooks('bundle.selected'), selectableBundle()],
  'bundle umount': () => ['--hooks', hangingHooks('bundle.umount'), unmountedBundle()],
  'bundle upgrade': () => [
    ...['--hooks', hangingHooks('bundle.upgraded')],
    ...['--image', image, hookedBundle(), `${box}/upgraded`]
  ],
  'hooks gc': () => ['--hooks', hangingHooks(), '--layout', `${box}/layout`],
  'hooks test': () => ['--directory', `${work}/kit`, hangingHooks()]
}

test('every command is here', () => {
  const tables = [CHANGING, TAGGING, MOMENTARY, READING, INDEXING, HOOKED]
  const names = [
    ...tables.flatMap((table) => Object.keys(table)),
    ...HASHING,
    ...COMPRESSING,
    ...WAITING,
    ...AT_ONCE
  ]
  expect(names.sort()).toEqual(COMMANDS.map(({ path }) => path.join(' ')).sort())
})

describe.runIf(needs('root', 'python3'))('Ctrl-C', () => {
  test.each(Object.entries(CHANGING))('on %s moves no tag', async (command, args) => {
    const more = args()
    const layout = fs.openSync(`${box}/layout`, 'r')
    expect(tryLock(layout, 'exclusive')).toBe(true)
    const stored = blobs().length
    start(command, '--image', image, ...more)
    // all but the index is written, which another holds; blobs that nothing names are no part of an image
    await until(() => blobs().length > stored)
    await interrupt()
    fs.closeSync(layout)
    expect(fs.readdirSync(`${box}/layout`)).toEqual(['blobs', 'index.json', 'oci-layout'])
    const ignored = ['layout/blobs/sha256/*:presence', 'layout/blobs/sha256:mtime', 'layout:mtime']
    expect(compareTrees(`${work}/before`, box, ignored)).toEqual([])
  })

  test.each(Object.entries(TAGGING))('on %s moves no tag', async (command, args) => {
    const layout = fs.openSync(`${box}/layout`, 'r')
    expect(tryLock(layout, 'exclusive')).toBe(true)
    start(command, '--image', image, ...args)
    await until(() => fs.readdirSync(`${box}/layout`).some((name) => name.startsWith('.umoci-')))
    await interrupt()
    fs.closeSync(layout)
    expect(compareTrees(`${work}/before`, box, ['layout:mtime'])).toEqual([])
  })

  test('on gc that waits removes nothing', async () => {
    fs.writeFileSync(`${box}/layout/blobs/sha256/${'ab'.repeat(32)}`, 'loose')
    const reader = fs.openSync(`${box}/layout/blobs`, 'r')
    expect(tryLock(reader, 'shared')).toBe(true)
    start('gc', '--log=info', '--layout', `${box}/layout`)
    await once(child!.stderr!, 'data')
    await interrupt()
    fs.closeSync(reader)
    expect(compareTrees(`${work}/before`, box)).toEqual([])
  })

  test('on a command that waits for gc ends it', async () => {
    const collection = fs.openSync(`${box}/layout/blobs`, 'r')
    expect(tryLock(collection, 'exclusive')).toBe(true)
    start('unpack', '--image', image, `${box}/out`)
    await until(() => isOpenIn(child!.pid!, `${box}/layout/blobs`))
    await interrupt()
    fs.closeSync(collection)
    expect(fs.readdirSync(box)).toEqual(['layout'])
  })

  test.each(Object.entries(READING))('on %s leaves nothing behind', async (command, args) => {
    // programs are started for large layers only
    const large = randomBytes(2 ** 20).toString('hex')
    fs.rmSync(`${box}/layout`, { recursive: true })
    buildImage(`${box}/layout`, { layers: [tar(file('x', large))] })
    start(command, '--decompressor', `${work}/hangs`, ...args())
    await until(() => fs.existsSync(`${work}/hanging`))
    await interrupt()
    expect(fs.readdirSync(box)).toEqual(['layout'])
  })

  test.each(Object.entries(INDEXING))('on %s leaves no index behind', async (command, args) => {
    fs.rmSync(`${box}/layout`, { recursive: true })
    buildImage(`${box}/layout`, { layers: [longLayer()] })
    start(command, '--image', image, '--index', `${box}/index`, ...args())
    const names = (): string[] =>
      fs.existsSync(`${box}/index`) ? fs.readdirSync(`${box}/index`) : []
    await until(() => names().length > 0)
    await interrupt()
    expect(names()).toEqual([])
    expect(fs.readdirSync(box).sort()).toEqual(['index', 'layout'])
  })

  test.each(Object.entries(HOOKED))('on %s ends its hook, too', async (command, args) => {
    fs.mkdirSync(`${work}/kit`)
    start(command, ...args())
    await until(() => fs.existsSync(`${work}/hanging`))
    const hook = Number(fs.readFileSync(`${work}/hanging`, 'utf8'))
    await interrupt()
    // init may take its time to reap it
    await expect.poll(() => fs.existsSync(`/proc/${hook}`), { timeout: 10_000 }).toBe(false)
    // what is made in it, and removed
    const ignored = ['bundle upgrade', 'bundle select'].includes(command) ? ['.:mtime'] : []
    if (command === 'bundle select') ignored.push('selected:mtime')
    expect(compareTrees(`${work}/before`, box, ignored)).toEqual([])
    expect(fs.readdirSync(`${work}/kit`)).toEqual([])
  })

  test('on unpack with a hook that hangs leaves nothing behind', async () => {
    start('unpack', '--hooks', hangingHooks('unpack.ociv1.finish'), '--image', image, `${box}/out`)
    await until(() => fs.existsSync(`${work}/hanging`))
    await interrupt()
    expect(fs.readdirSync(box)).toEqual(['layout'])
  })

  test.each([
    ['diff', (bundle: string) => bundle],
    ['bundle list', () => box]
  ])('on %s ends it, though it reads a large file', async (command, place) => {
    const bundle = unpackedBundle('bundle')
    const large = `${bundle}/rootfs/x`
    const { mtimeMs } = fs.statSync(large)
    const [manifest] = fs.readdirSync(bundle).filter((name) => name.endsWith('.mtree'))
    // only its content could tell that it changed
    ok('sed', '-i', `s/size=1 /size=${HUGE} /`, `${bundle}/${manifest!}`)
    fs.truncateSync(large, HUGE)
    fs.utimesSync(large, mtimeMs / 1000, mtimeMs / 1000)
    start(command, place(bundle))
    await until(() => isOpenIn(child!.pid!, large))
    await interrupt()
  })

  test('on bundle save leaves no archive behind', async () => {
    const bundle = changedBundle()
    fs.mkdirSync(`${work}/bin`)
    fs.symlinkSync(`${work}/hangs`, `${work}/bin/xz`)
    vi.stubEnv('PATH', `${work}/bin:${process.env.PATH!}`)
    start('bundle save', bundle, `tar:${box}/saved.tar.xz`)
    await until(() => fs.existsSync(`${work}/hanging`))
    const compressor = Number(fs.readFileSync(`${work}/hanging`, 'utf8'))
    await interrupt()
    expect(fs.existsSync(`/proc/${compressor}`)).toBe(false)
    expect(compareTrees(`${work}/before`, box, ['.:mtime'])).toEqual([])
  })

  test('on raw mtree-validate ends it, though it reads a large file', async () => {
    fs.mkdirSync(`${box}/tree`)
    fs.writeFileSync(`${box}/tree/x`, '')
    fs.truncateSync(`${box}/tree/x`, HUGE)
    const digest = '0'.repeat(64)
    const manifest = `#mtree\n. type=dir\n    x type=file size=${HUGE} sha256digest=${digest}\n..\n`
    fs.writeFileSync(`${work}/mtree`, manifest)
    start('raw mtree-validate', '-f', `${work}/mtree`, '-p', `${box}/tree`)
    await until(() => isOpenIn(child!.pid!, `${box}/tree/x`))
    await interrupt()
  })

  test.each(Object.entries(MOMENTARY))('on %s leaves all or nothing', async (command, it) => {
    for (let delay = 40; delay <= 160; delay += 40) {
      start(command, ...it.args())
      const exit = once(child!, 'exit')
      await setTimeout(delay)
      child!.kill('SIGINT')
      const [status, signal] = (await exit) as [number | null, string | null]
      expect(status === 0 || status === 130 || signal === 'SIGINT').toBe(true)
      const made = fs.readdirSync(box).filter((name) => name !== 'layout')
      const whole = it.makes === undefined ? [] : [it.makes]
      expect([...(status === 0 ? [] : [[]]), whole]).toContainEqual(made)
      if (command === 'init' && made.length > 0) openLayout(`${box}/new`).readIndex()
      fs.rmSync(`${box}/new`, { recursive: true, force: true })
    }
  })

  test('that comes before raw runtime-config writes leaves no file', async () => {
    const options = { image, file: `${box}/config.json`, signal: AbortSignal.abort() }
    await expect(writeRuntimeConfig(options)).rejects.toMatchObject({ code: 'ABORTED' })
    expect(fs.readdirSync(box)).toEqual(['layout'])
  })
})

describe('an abort that comes late', () => {
  test.each([
    ['unpack', unpack, 'publish'],
    ['unpackRootfs', unpackRootfs, 'join']
  ] as const)('is heard by %s before anything appears', async (_name, act, phase) => {
    const controller = new AbortController()
    const onEvent = (event: EngineEvent): void => {
      if (event.type === 'phase' && event.phase === phase) controller.abort()
    }
    const options = { ...unpackOptions, image, destination: `${box}/out`, jobs: 0, onEvent }
    const unpacking = act({ ...options, signal: controller.signal })
    await expect(unpacking).rejects.toMatchObject({ code: 'ABORTED' })
    expect(fs.readdirSync(box)).toEqual(['layout'])
  })

  test('is heard by configureImage before the tag moves', async () => {
    const index = fs.readFileSync(`${box}/layout/index.json`)
    const act = configureImage({ image, changes: { author: 'B' }, signal: AbortSignal.abort() })
    await expect(act).rejects.toMatchObject({ code: 'ABORTED' })
    expect(fs.readFileSync(`${box}/layout/index.json`)).toEqual(index)
    expect(blobs()).toHaveLength(3)
  })

  test('is heard by diff', async () => {
    const bundle = changedBundle()
    const act = diff({ bundle, signal: AbortSignal.abort() })
    await expect(act).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

function unpackedBundle(name: string, ...flags: string[]): string {
  ociUnpackOk('unpack', ...flags, ...unpackFlags, '--image', image, `${box}/${name}`)
  return `${box}/${name}`
}

function changedBundle(): string {
  const bundle = unpackedBundle('bundle')
  fs.writeFileSync(`${bundle}/rootfs/new`, 'new')
  return bundle
}

function hangingHooks(...more: string[]): string {
  const points = ['bundle.delete', 'store.gc', ...more]
  const tables = points.map((point) => `[${point}]\ncommand = ["${work}/hangs"]\n`)
  fs.writeFileSync(`${work}/hooks.toml`, `version = 1\nname = "hanging"\n${tables.join('')}`)
  return `${work}/hooks.toml`
}

function erofsImages(): string {
  const images = `${work}/images`
  if (!fs.existsSync(images)) ociUnpackOk('erofs', 'make', '--image', image, images)
  return images
}

function hookedBundle(name = 'bundle'): string {
  return unpackedBundle(name, '--hooks', `${work}/hooks.toml`)
}

/** The directory with an old one. */
function hookedBundles(): string {
  hookedBundle('old')
  hookedBundle('new')
  return box
}

/** The new one of them; the old one is selected. */
function selectableBundle(): string {
  fs.symlinkSync('old', `${hookedBundles()}/selected`)
  return `${box}/new`
}

/** One that says that its root file system is a mount. */
function unmountedBundle(): string {
  const bundle = hookedBundle()
  ok('sed', '-i', 's/"rootfs": *"directory"/"rootfs":"mount"/', `${bundle}/.oci-unpack/hooks.json`)
  return bundle
}

function start(command: string, ...args: string[]): void {
  fs.rmSync(`${work}/before`, { recursive: true, force: true })
  ok('cp', '-a', box, `${work}/before`)
  child = spawn(ociUnpackCommand[0], [ociUnpackCommand[1], ...command.split(' '), ...args])
}

async function interrupt(): Promise<void> {
  child!.kill('SIGINT')
  const [status] = (await once(child!, 'exit')) as [number | null]
  expect(status).toBe(130)
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    expect(child!.exitCode).toBe(null)
    await setTimeout(2)
  }
}

function blobs(): string[] {
  return fs.readdirSync(`${box}/layout/blobs/sha256`)
}

function isOpenIn(pid: number, path: string): boolean {
  const links = fs.readdirSync(`/proc/${pid}/fd`)
  return links.some((fd) => linkTarget(`/proc/${pid}/fd/${fd}`) === path)
}

function linkTarget(path: string): string | undefined {
  try {
    return fs.readlinkSync(path)
  } catch {
    return undefined
  }
}

/** A file of 1 GiB of zeros, which takes seconds to inflate. */
function longLayer(): Layer {
  const zeros = Buffer.alloc(2 ** 24)
  const header = tar(file('x', '', { size: 64 * zeros.length })).subarray(0, 512)
  const parts = [header, ...Array.from({ length: 64 }, () => zeros), Buffer.alloc(1024)]
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  const packed = gzipSync(zeros)
  const blob = Buffer.concat(parts.map((part) => (part === zeros ? packed : gzipSync(part))))
  return { tar: header, blob, diffId: `sha256:${hash.digest('hex')}` }
}
