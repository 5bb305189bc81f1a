/** Ctrl-C in the middle of every command: exit status 130, and all is as it was. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../src/cli/commands/index.ts'
import {
  configureImage,
  diff,
  unpack,
  unpackRootfs,
  writeRuntimeConfig,
  type EngineEvent
} from '../../src/index.ts'
import { tryLock } from '../../src/sys/lock.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand, ociUnpackOk } from './cli.ts'

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
  fs.writeFileSync(`${work}/hangs`, '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 })
})
afterEach(() => {
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
  repack: () => ['--refresh-bundle', changedBundle()]
}
const UNPACKING = ['unpack', 'raw unpack']
const READING = ['diff', 'raw runtime-config']
/** In interrupt-hooks.test.ts, and one that is over in a moment. */
const OF_HOOKS = ['bundle delete', 'hooks check', 'hooks gc', 'hooks test']

test('every command is here', () => {
  const names = [...Object.keys(CHANGING), ...UNPACKING, ...READING, ...OF_HOOKS]
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

  test.each(UNPACKING)('on %s leaves nothing behind', async (command) => {
    start(command, '--decompressor', `${work}/hangs`, '--image', image, `${box}/out`)
    await until(() => fs.readdirSync(box).length > 1)
    await interrupt()
    expect(fs.readdirSync(box)).toEqual(['layout'])
  })

  test('on diff ends it, though it reads a large file', async () => {
    const bundle = changedBundle()
    const large = `${bundle}/rootfs/x`
    const { mtimeMs } = fs.statSync(large)
    const [manifest] = fs.readdirSync(bundle).filter((name) => name.endsWith('.mtree'))
    // only its content could tell that it changed
    ok('sed', '-i', `s/size=1 /size=${HUGE} /`, `${bundle}/${manifest!}`)
    fs.truncateSync(large, HUGE)
    fs.utimesSync(large, mtimeMs / 1000, mtimeMs / 1000)
    start('diff', bundle)
    await until(() => isOpenIn(child!.pid!, large))
    await interrupt()
  })

  test('on raw runtime-config leaves a whole file or none', async () => {
    for (let delay = 0; delay <= 200; delay += 40) {
      start('raw runtime-config', '--image', image, `${box}/config.json`)
      await setTimeout(delay)
      child!.kill('SIGINT')
      const [status, signal] = (await once(child!, 'exit')) as [number | null, string | null]
      expect(status === 0 || status === 130 || signal === 'SIGINT').toBe(true)
      const made = fs.readdirSync(box).filter((name) => name !== 'layout')
      expect(made).toEqual(status === 0 ? ['config.json'] : [])
      fs.rmSync(`${box}/config.json`, { force: true })
    }
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
    const options = { image, destination: `${box}/out`, jobs: 0, onEvent }
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

function changedBundle(): string {
  ociUnpackOk('unpack', '--image', image, `${box}/bundle`)
  fs.writeFileSync(`${box}/bundle/rootfs/new`, 'new')
  return `${box}/bundle`
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
