/** Ctrl-C while a hook takes its time: exit status 130, and what was there is there. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand, ociUnpackOk } from './cli.ts'

let work: string
let hooks: string
let layout: string
beforeEach(() => {
  work = makeTemporary()
  layout = buildImage(`${work}/layout`, { layers: [tar(file('x', 'x'))] }).layout
  const hangs = `${work}/hangs`
  writeFileSync(hangs, `#!/bin/sh\n: >${work}/asked\nexec sleep 60\n`, { mode: 0o755 })
  hooks = tomlOf('hangs', ['bundle.delete', 'store.gc'])
})
afterEach(() => removeTemporary(work))

describe.runIf(needs('root'))('Ctrl-C while a hook works', () => {
  test('on bundle delete leaves a whole bundle', async () => {
    const bundle = `${work}/bundle`
    ociUnpackOk('unpack', '--hooks', hooks, '--image', layout, bundle)
    await interrupted('bundle', 'delete', '--hooks', hooks, bundle)
    expect(ociUnpackOk('diff', bundle).stdout).toBe('')
    expect(existsSync(`${bundle}/.oci-unpack/unfinished`)).toBe(false)
  })

  test('on hooks gc ends it', async () => {
    await interrupted('hooks', 'gc', '--hooks', hooks, '--layout', layout)
  })

  test('on hooks test removes the scratch directory', async () => {
    const directory = `${work}/scratch`
    mkdirSync(directory)
    const slow = tomlOf('slow', ['unpack.ociv1.prepare'])
    await interrupted('hooks', 'test', '--directory', directory, slow)
    expect(readdirSync(directory)).toEqual([])
  })
})

function tomlOf(name: string, points: readonly string[]): string {
  const tables = points.map((point) => `[${point}]\ncommand = ["${work}/hangs"]\n`)
  const path = `${work}/${name}.toml`
  writeFileSync(path, `version = 1\nname = "${name}"\n${tables.join('')}`, { mode: 0o600 })
  return path
}

async function interrupted(...args: string[]): Promise<void> {
  const child = spawn(ociUnpackCommand[0], [ociUnpackCommand[1], ...args], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  while (!existsSync(`${work}/asked`)) {
    expect(child.exitCode).toBe(null)
    await setTimeout(5)
  }
  child.kill('SIGINT')
  expect(await ended).toEqual([130, null])
}
