/** Archives of root file systems on the command line. */
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackFlags } from '../support/whoever.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'

const LIMITS: Readonly<Record<string, string>> = {
  'max-entries': '10',
  'max-unpacked-bytes': '100000',
  'max-ratio': '1000',
  'max-path-bytes': '100',
  'max-pax-bytes': '1000',
  'max-json-bytes': '10000'
}

let work: string
beforeEach(() => (work = makeTemporary()))
afterEach(() => removeTemporary(work))

test('an image goes into an archive, within limits, and every command reads it there', () => {
  const layers = [tar(directory('etc/'), file('etc/motd', 'hello'))]
  const { reference } = buildImage(`${work}/layout`, { layers, tag: 't' })
  const flags = Object.entries(LIMITS).map(([name, value]) => `--${name}=${value}`)
  const image = `tar:${work}/out.tar.gz`
  ociUnpackOk('copy', ...flags, '--jobs=1', reference, image)
  expect(ociUnpackOk('file', 'cat', '--image', image, 'etc/motd').stdout).toBe('hello')
  ociUnpackOk('verify', '--image', image)
  expect(ociUnpackOk('list', '--long', '--layout', image).stdout).toContain('sha256:')
  ociUnpackOk('unpack', ...unpackFlags, '--image', image, `${work}/bundle`)
  const changed = ociUnpack('repack', '--image', image, `${work}/bundle`)
  expect(changed.stderr).toContain('REFERENCE_INVALID')
  const small = ociUnpack('copy', '--max-entries=1', reference, `tar:${work}/small.tar`)
  expect(small).toMatchObject({ status: 1 })
  expect(small.stderr).toContain('--max-entries')
})

test('Ctrl-C while a program compresses is told as such', async () => {
  const { reference } = buildImage(`${work}/layout`, { layers: [tar(directory('etc/'))] })
  writeFileSync(`${work}/xz`, `#!/bin/sh\n: > ${work}/begun\nexec sleep 30\n`)
  chmodSync(`${work}/xz`, 0o755)
  const [node, main] = ociUnpackCommand
  const child = spawn(
    node,
    [main, 'copy', reference, `tar:${work}/out.tar.xz`],
    // a terminal sends the signal to all processes of a group
    { detached: true, env: { ...process.env, PATH: `${work}:${process.env.PATH!}` } }
  )
  const said = text(child.stderr)
  while (!existsSync(`${work}/begun`)) await setTimeout(10)
  process.kill(-child.pid!, 'SIGINT')
  expect(await said).toContain('[ABORTED]')
})
