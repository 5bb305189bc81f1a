/** The library function: what it serves, what it refuses, and what is left of it. */
import { existsSync, readdirSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  serveFiles,
  type EngineEvent,
  type FileServer,
  type ServeFilesOptions
} from '../../src/index.ts'
import { buildImage } from '../support/image-builder.ts'
import { NbdClient } from '../support/nbd-client.ts'
import { directory, file, symlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

let work: string
let image: string
let server: FileServer | undefined
beforeAll(() => {
  work = makeTemporary()
  const lower = tar(directory('disk'), file('disk/a', 'old'), file('disk/b', 'b'))
  const upper = tar(file('disk/a', 'new!'), symlink('link', 'disk/b'))
  image = buildImage(`${work}/layout`, { layers: [lower, upper] }).reference
})
afterAll(() => removeTemporary(work))
afterEach(async () => {
  vi.unstubAllEnvs()
  await server?.close()
})

async function start(options: Partial<ServeFilesOptions>): Promise<FileServer> {
  const index = options.image === undefined ? { index: `${work}/index` } : {}
  const all = { image, ...index, jobs: 0, paths: ['disk/a'], ...options }
  server = await serveFiles(all)
  return server
}

test('files of the merged tree are served under their paths, each once', async () => {
  const { address, exports, uri } = await start({ paths: ['/disk/a', 'link', './disk/a'] })
  const at = `?socket=${address.socket!}`
  expect(uri).toBe(`nbd+unix:///${at}`)
  expect(exports).toEqual([
    { name: 'disk/a', size: 4, uri: `nbd+unix:///disk/a${at}` },
    { name: 'link', size: 1, uri: `nbd+unix:///link${at}` }
  ])
  const client = await NbdClient.open({ path: address.socket! }, 'structured', 'link')
  expect((await client.read({ length: 1 })).content.toString()).toBe('b')
  await client.close()
})

test('the only file in /disk is the default export if that is asked for', async () => {
  const whiteout = tar(file('disk/.wh.b'))
  const one = buildImage(`${work}/one`, {
    layers: [tar(file('disk/a', 'old'), file('disk/b'), file('c')), whiteout]
  })
  const { exports } = await start({ image: one.reference, paths: ['c', '/disk/a'], disk: true })
  expect(exports.map(({ name }) => name)).toEqual(['disk/a', 'c'])
})

test('without a cache, each layer is read once for all files, and one warning says so', async () => {
  const layers = [tar(file('disk/a', 'old'), file('b', 'b')), tar(file('c', 'c'))]
  const events: EngineEvent[] = []
  vi.stubEnv('XDG_CACHE_HOME', '/dev/null')
  const paths = ['b', 'c', 'disk/a']
  const { exports } = await startIn('layers', layers, { disk: true, paths }, events)
  expect(exports.map(({ name }) => name)).toEqual(['disk/a', 'b', 'c'])
  expect(events.filter(({ type }) => type === 'warning')).toHaveLength(1)
  const read = events.flatMap((event) => (event.type === 'layer' ? [event.layer] : []))
  expect(read.sort()).toEqual([0, 1])
})

test('a disk whose path is not text cannot be an export', async () => {
  const odd = [tar(file('disk/\xff', 'old'))]
  await expect(startIn('odd', odd, { disk: true, paths: [] })).rejects.toMatchObject({
    code: 'USAGE'
  })
})

/** Another image, with the indexes in the cache. */
function startIn(
  name: string,
  layers: readonly Buffer[],
  options: Partial<ServeFilesOptions>,
  events: EngineEvent[] = []
): Promise<FileServer> {
  const { reference } = buildImage(`${work}/${name}`, { layers })
  const onEvent = (event: EngineEvent): void => void events.push(event)
  return start({ image: reference, ...options, onEvent })
}

test('a server on a port has its URI', async () => {
  const { address, uri } = await start({ port: 0 })
  expect(uri).toBe(`nbd://127.0.0.1:${address.port!}/`)
})

describe('refused', () => {
  test.each<[string, Partial<ServeFilesOptions>, string]>([
    ['a socket and a port', { socket: 'x', port: 1 }, 'USAGE'],
    ['an empty socket', { socket: '' }, 'USAGE'],
    ['a port that is none', { port: 65_536 }, 'USAGE'],
    ['half a port', { port: 1.5 }, 'USAGE'],
    ['no path', { paths: [] }, 'USAGE'],
    ['a path that is not text', { paths: [5 as unknown as string] }, 'USAGE'],
    ['a list that is none', { paths: 'disk/a' as unknown as string[] }, 'USAGE'],
    ['a directory of indexes that is no path', { index: 5 as unknown as string }, 'USAGE'],
    ['the disk of several', { disk: true }, 'PATH_INVALID'],
    ['the root', { paths: ['/'] }, 'USAGE'],
    ['a path with NUL', { paths: ['a\0'] }, 'USAGE'],
    ['a path that no client could name', { paths: ['ä'.repeat(2049)] }, 'USAGE'],
    ['a directory', { paths: ['disk'] }, 'PATH_INVALID'],
    ['what is not there, after what is', { paths: ['disk/a', 'c'] }, 'PATH_NOT_FOUND'],
    ['an abort that came before', { signal: AbortSignal.abort() }, 'ABORTED']
  ])('%s', async (_name, options, code) => {
    await expect(start(options)).rejects.toMatchObject({ code })
  })
})

test('an abort closes the server, and removes its socket', async () => {
  const controller = new AbortController()
  const socket = `${work}/socket`
  const { closed } = await start({ socket, signal: controller.signal })
  expect(existsSync(socket)).toBe(true)
  controller.abort()
  await closed
  expect(existsSync(socket)).toBe(false)
})

test('closing releases the image, and can be asked for again', async () => {
  const before = readdirSync('/proc/self/fd').length
  const serving = await start({})
  expect(readdirSync('/proc/self/fd').length).toBeGreaterThan(before)
  await Promise.all([serving.close(), serving.close(), serving.closed])
  await serving.close()
  expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before)
})
