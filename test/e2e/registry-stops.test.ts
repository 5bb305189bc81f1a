/** Ctrl-C, or a failure, while a registry is slow: everything ends at once, and nothing is left. */
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NAME, send, startFaultyRegistry, type FaultyRegistry } from '../support/faulty-registry.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { file, tar } from '../support/tar-builder.ts'
import { ociUnpackCommand } from './cli.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const content = tar(file('large', randomBytes(6 << 20)))
const layer = gzipSync(content, { level: 1 })
const small = tar(file('small', 'content'))

let registry: FaultyRegistry
let work: string
let isStalled = false
/** How the path of a blob ends that has other bytes, which come when another has stalled. */
let damaged: string | undefined
/** How the path of what stalls ends. */
let stalled = ''

beforeEach(async () => {
  work = makeTemporary()
  isStalled = false
  damaged = undefined
  stalled = digestOf(layer)
  registry = await startFaultyRegistry(async ({ request, response, url }) => {
    if (damaged !== undefined && url.pathname.endsWith(damaged)) {
      while (!isStalled) await sleep(20)
      await sleep(300)
      return send(response, 200, {}, Buffer.alloc(gzipSync(small).length))
    }
    if (request.method !== 'GET' || !url.pathname.endsWith(stalled)) return undefined
    const whole = stalled === digestOf(layer) ? layer : Buffer.alloc(1000, ' ')
    response.writeHead(200, { 'content-length': String(whole.length) })
    response.write(whole.subarray(0, whole.length >> 1))
    isStalled = true
    return true
  })
  addImage('1', [layer], [content])
  addImage('2', [gzipSync(small), layer], [small, content])
})

function addImage(tag: string, blobs: readonly Buffer[], tars: readonly Buffer[]): void {
  const rootfs = { type: 'layers', diff_ids: tars.map(digestOf) }
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs }))
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...registry.addBlob(config) },
    layers: blobs.map((blob) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      ...registry.addBlob(blob)
    }))
  }
  registry.addDocument(tag, Buffer.from(JSON.stringify(manifest)), MANIFEST)
}

afterEach(async () => {
  await registry.close()
  removeTemporary(work)
})

describe.runIf(needs('root'))('a download that stalls', () => {
  test.each([
    ['unpack with threads', ['unpack', '--image', 'IMAGE', 'out']],
    ['unpack with one thread', ['unpack', '--jobs', '1', '--image', 'IMAGE', 'out']],
    ['raw unpack', ['raw', 'unpack', '--image', 'IMAGE', 'out']],
    ['copy to a layout', ['copy', 'IMAGE', 'oci:out:1']],
    ['copy to an archive', ['copy', 'IMAGE', 'oci-archive:out:1']],
    ['export', ['copy', 'IMAGE', 'tar:out.tar']],
    ['stat', ['stat', '--image', 'IMAGE'], '/manifests/1'],
    ['list', ['list', '--layout', 'PLACE'], '/tags/list'],
    ['a long list', ['list', '--long', '--layout', 'PLACE'], '/tags/list']
  ])('%s ends with the signal', async (_, args, path = stalled) => {
    stalled = path
    const place = `docker://${registry.host}/${NAME}`
    const meant = new Map([
      ['IMAGE', `${place}:1`],
      ['PLACE', place]
    ])
    const [program, ...first] = ociUnpackCommand
    const child = spawn(program, [...first, ...args.map((arg) => meant.get(arg) ?? arg)], {
      cwd: work,
      env: { ...process.env, HOME: work, TMPDIR: work }
    })
    let said = ''
    child.stderr.on('data', (text: Buffer) => (said += text.toString()))
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    while (!isStalled) await sleep(20)
    await sleep(200)
    child.kill('SIGINT')
    const status = await Promise.race([ended, sleep(10_000).then(() => 'still running')])
    if (status === 'still running') child.kill('SIGKILL')
    expect({ status, said }).toMatchObject({ status: 130 })
    expect(readdirSync(work)).toEqual([])
  })
})

describe.runIf(needs('root'))('a failure while another blob stalls', () => {
  test.each([
    ['unpack', ['unpack', '--image', 'IMAGE', 'out']],
    ['raw unpack', ['raw', 'unpack', '--image', 'IMAGE', 'out']],
    ['copy to a layout', ['copy', 'IMAGE', 'oci:out:1']],
    ['export', ['copy', 'IMAGE', 'tar:out.tar']]
  ])('%s ends with it', async (_, args) => {
    damaged = digestOf(gzipSync(small))
    const image = `docker://${registry.host}/${NAME}:2`
    const [program, ...first] = ociUnpackCommand
    const given = args.map((arg) => (arg === 'IMAGE' ? image : arg))
    const child = spawn(program, [...first, ...given], {
      cwd: work,
      env: { ...process.env, HOME: work, TMPDIR: work }
    })
    let said = ''
    child.stderr.on('data', (text: Buffer) => (said += text.toString()))
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    const status = await Promise.race([ended, sleep(10_000).then(() => 'still running')])
    if (status === 'still running') child.kill('SIGKILL')
    expect({ status, said }).toMatchObject({ status: 1 })
    expect(said).toContain('BLOB_DIGEST_MISMATCH')
    expect(readdirSync(work)).toEqual([])
  })
})

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
