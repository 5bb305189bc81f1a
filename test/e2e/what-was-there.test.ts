import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage, type Image } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ok } from '../support/run.ts'
import { ociUnpack, ociUnpackCommand } from './cli.ts'

const GOOD = [tar(directory('d/'), file('d/new', 'body'))]
const DAMAGED = [...GOOD, tar(file('link/x'), file('.wh.'))]

describe.runIf(needs('root', 'python3'))('what was there before', () => {
  let work: string
  let bundle: string
  beforeEach(() => {
    work = makeTemporary()
    bundle = `${work}/box/bundle`
    mkdirSync(bundle, { recursive: true })
  })
  afterEach(() => removeTemporary(work))

  test('stays when a bundle is there already', () => {
    writeFileSync(`${bundle}/config.json`, '{}')
    mkdirSync(`${bundle}/rootfs`)
    writeFileSync(`${bundle}/rootfs/mine`, 'precious')
    const { status, stderr } = untouched(() => ociUnpack('unpack', '--image', image(GOOD), bundle))
    expect(stderr).toContain('BUNDLE_EXISTS')
    expect(status).toBe(1)
  })

  test('stays when an unpack into an empty directory fails', () => {
    const { status } = untouched(() => ociUnpack('unpack', '--image', image(DAMAGED), bundle))
    expect(status).toBe(1)
  })

  test('stays when a raw unpack into a full directory fails', () => {
    writeFileSync(`${bundle}/mine`, 'precious')
    mkdirSync(`${bundle}/d`)
    writeFileSync(`${bundle}/d/mine`, 'precious')
    const { status } = ociUnpack('raw', 'unpack', '--image', image(DAMAGED), bundle)
    expect(readFileSync(`${bundle}/mine`, 'utf8')).toBe('precious')
    expect(readFileSync(`${bundle}/d/mine`, 'utf8')).toBe('precious')
    expect(status).toBe(1)
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143]
  ] as const)('stays when %s ends the work', async (signal, expected) => {
    removeTemporary(bundle)
    writeFileSync(`${work}/hangs`, '#!/bin/sh\nexec sleep 60\n')
    chmodSync(`${work}/hangs`, 0o755)
    const options = ['--decompressor', `${work}/hangs`, '--image', image(GOOD), bundle]
    const child = spawn(ociUnpackCommand[0], [ociUnpackCommand[1], 'unpack', ...options])
    while (readdirSync(`${work}/box`).length === 0) await setTimeout(10)
    child.kill(signal)
    const [status, killedBy] = (await once(child, 'exit')) as [number | null, string | null]
    expect(readdirSync(`${work}/box`)).toEqual([])
    expect(killedBy === signal || status === expected).toBe(true)
  })

  function image(layers: Image['layers']): string {
    return buildImage(`${work}/layout`, { layers }).reference
  }

  function untouched<T>(act: () => T): T {
    ok('cp', '-a', `${work}/box`, `${work}/before`)
    const result = act()
    // Work begins inside an empty directory that is there, and is taken out again.
    expect(compareTrees(`${work}/before`, `${work}/box`, ['bundle:mtime'])).toEqual([])
    return result
  }
})
