/** Clients on sockets: what they get, whatever they and the file do. */
import { randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FileExtent, ImageFile } from '../../../src/engine/files/image-file.ts'
import { serve, type Serving } from '../../../src/engine/server/serve.ts'
import { OciUnpackError } from '../../../src/errors.ts'
import { NbdClient, type Where } from '../../support/nbd-client.ts'
import {
  clientFlags,
  contextData,
  errorOf,
  GREETING,
  infoData,
  option,
  request,
  u32
} from '../../support/nbd-messages.ts'
import { makeTemporary, removeTemporary } from '../../support/temporary.ts'

const KIB = 1024
const MIB = 1024 * KIB
const SIZE = 40 * MIB + 5
/** Of 3 MiB, from here on. */
const HOLE = 2 * MIB

const READ = 0
const DISC = 2
const CACHE = 5
const BLOCK_STATUS = 7
const DF = 4
const REQ_ONE = 8

const CONTENT = Buffer.alloc(SIZE)
randomFillSync(CONTENT)
CONTENT.fill(0, HOLE, HOLE + 3 * MIB)

/** A file in memory, in which reading can be held up or fail. */
class MemoryFile implements ImageFile {
  readonly content = CONTENT
  readonly size = SIZE
  reads: number[] = []
  /** Reading at or beyond this offset fails. */
  broken = Infinity
  failure: unknown = new OciUnpackError('BLOB_DIGEST_MISMATCH', 'The blob is damaged.')
  gate: Promise<void> = Promise.resolve()

  async read(target: Uint8Array, offset: number): Promise<void> {
    this.reads.push(offset)
    await this.gate
    if (offset + target.length > this.broken) throw this.failure
    this.content.copy(target, 0, offset, offset + target.length)
  }

  async extents(offset: number, length: number): Promise<readonly FileExtent[]> {
    await this.gate
    const borders = [0, HOLE, HOLE + 3 * MIB, SIZE]
    return borders.slice(1).flatMap((border, index) => {
      const [start, end] = [Math.max(offset, borders[index]!), Math.min(offset + length, border)]
      return start < end ? [{ length: end - start, hole: index === 1 }] : []
    })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

let work: string
let where: Where
let file: MemoryFile
let failures: [string, unknown, number][]
let serving: Serving | undefined
let clients: NbdClient[]

beforeEach(async () => {
  work = makeTemporary()
  file = new MemoryFile()
  failures = []
  clients = []
  await start()
})
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await serving?.close()
  removeTemporary(work)
})

async function start(patience = 60_000): Promise<void> {
  const files = [
    { name: 'disk', size: SIZE, file },
    { name: 'empty', size: 0, file }
  ] as const
  const socket = `${work}/socket`
  serving = await serve(
    files,
    { socket, port: undefined },
    {
      onLeftover: () => undefined,
      onFailure: ({ name }, error, offset) => failures.push([name, error, offset]),
      patience
    }
  )
  where = { path: socket }
}

async function open(form: 'simple' | 'structured', name = ''): Promise<NbdClient> {
  const client = await NbdClient.open(where, form, name)
  clients.push(client)
  return client
}

async function connect(): Promise<NbdClient> {
  const client = await NbdClient.connect(where)
  clients.push(client)
  return client
}

describe.each(['simple', 'structured'] as const)('a client with %s replies', (form) => {
  test.each([
    [0, 1],
    [SIZE - 1, 1],
    [1, 5],
    [255 * KIB, 2 * KIB],
    [HOLE - 5, 10],
    [HOLE + 7, 100],
    [HOLE - 100, 3 * MIB + 200],
    [8 * MIB, 32 * MIB],
    [SIZE - MIB, MIB]
  ])('reads from %i on %i bytes', async (offset, length) => {
    const client = await open(form)
    const { content, error } = await client.read({ offset, length })
    expect(error).toBe(undefined)
    expect(content.equals(file.content.subarray(offset, offset + length))).toBe(true)
  })

  test('gets answers to requests that it sent at once, in any order', async () => {
    const client = await open(form)
    const offsets = Array.from({ length: 100 }, (_, index) => 6 * MIB + index * 1000)
    client.send(
      ...offsets.map((offset, cookie) => request({ type: READ, cookie, offset, length: 16 }))
    )
    const left = new Set(offsets.keys())
    while (left.size > 0) {
      const reply = await client.reply()
      const content = reply.kind === 'chunk' ? reply.payload.subarray(8) : await client.bytes(16)
      const offset = offsets[reply.cookie]!
      expect(content).toEqual(file.content.subarray(offset, offset + 16))
      expect(left.delete(reply.cookie)).toBe(true)
    }
  })

  test('is told of a failure, and can go on', async () => {
    const client = await open(form)
    file.broken = 6 * MIB
    const { error } = await client.read({ offset: 6 * MIB, length: 10 })
    expect(error?.error).toBe(5)
    if (form === 'structured')
      expect(error).toEqual({
        error: 5,
        message: 'The blob is damaged. [BLOB_DIGEST_MISMATCH]',
        offset: 6 * MIB
      })
    expect(failures).toEqual([['disk', file.failure, 6 * MIB]])
    const { content } = await client.read({ offset: 0, length: 10 })
    expect(content).toEqual(file.content.subarray(0, 10))
  })

  test('is told no facts of errors that are not ours', async () => {
    const client = await open(form)
    file.broken = 0
    file.failure = new Error('secret')
    const { error } = await client.read({ length: 10 })
    expect(error).toMatchObject({ error: 5, message: form === 'simple' ? '' : 'Reading failed.' })
  })

  test('gets ESHUTDOWN for what an abort stopped', async () => {
    const client = await open(form)
    file.broken = 0
    file.failure = new OciUnpackError('ABORTED', 'The operation was stopped.')
    expect((await client.read({ length: 10 })).error?.error).toBe(108)
  })

  test('has CACHE read ahead, but no holes', async () => {
    const client = await open(form)
    client.send(request({ type: CACHE, offset: HOLE - MIB, length: 5 * MIB }))
    expect(await client.reply()).toMatchObject(
      form === 'simple' ? { error: 0 } : { type: 0, isDone: true }
    )
    expect(file.reads).toHaveLength(8)
    expect(file.reads.every((offset) => offset < HOLE || offset >= HOLE + 3 * MIB)).toBe(true)
    file.broken = 0
    client.send(request({ type: CACHE, length: 1 }))
    expect(await client.reply()).toMatchObject(form === 'simple' ? { error: 5 } : { type: 0x8002 })
  })

  test('ends with DISC, after all answers', async () => {
    const client = await open(form)
    client.send(request({ type: READ, length: MIB }), request({ type: DISC }))
    const { content } = await readOne(client, MIB)
    expect(content.equals(file.content.subarray(0, MIB))).toBe(true)
    expect(await client.isClosed()).toBe(true)
  })

  test('may end its side and still gets all answers', async () => {
    const client = await open(form)
    client.socket.end(request({ type: READ, length: MIB }))
    const { content } = await readOne(client, MIB)
    expect(content.equals(file.content.subarray(0, MIB))).toBe(true)
    expect(await client.isClosed()).toBe(true)
  })
})

describe('structured replies', () => {
  test('do not send holes', async () => {
    const client = await open('structured')
    const { chunks } = await client.read({ offset: HOLE - MIB, length: 5 * MIB })
    expect(chunks).toEqual([1, 1, 1, 1, 2, 1, 1, 1, 1])
  })

  test('are one chunk with DF, holes and all', async () => {
    const client = await open('structured')
    const { content, chunks } = await client.read({ offset: HOLE - 10, length: 4 * MIB, flags: DF })
    expect(chunks).toEqual([1, 0])
    expect(content.equals(file.content.subarray(HOLE - 10, HOLE - 10 + 4 * MIB))).toBe(true)
    expect((await client.read({ length: 65_536, flags: DF })).chunks).toEqual([1])
  })

  test('complete a chunk that was begun when reading fails', async () => {
    const client = await open('structured')
    file.broken = 6 * MIB + 256 * KIB
    const { content, chunks, error } = await client.read({
      offset: 6 * MIB,
      length: MIB,
      flags: DF
    })
    expect(chunks).toEqual([1, 0x8002])
    expect(error).toMatchObject({ error: 5, offset: 6 * MIB + 256 * KIB })
    const good = content.subarray(0, 256 * KIB)
    expect(good.equals(file.content.subarray(6 * MIB, 6 * MIB + 256 * KIB))).toBe(true)
    expect(content.subarray(256 * KIB).every((byte) => byte === 0)).toBe(true)
    expect((await client.read({ length: 1 })).error).toBe(undefined)
  })

  test('say from where on reading failed', async () => {
    const client = await open('structured')
    file.broken = 6 * MIB + 256 * KIB
    const { chunks, error } = await client.read({ offset: 6 * MIB, length: MIB })
    expect(chunks).toEqual([1, 0x8002])
    expect(error).toMatchObject({ offset: 6 * MIB + 256 * KIB })
  })

  test.each([
    ['all', 0, { length: SIZE }, [HOLE, 0, 3 * MIB, 3, SIZE - HOLE - 3 * MIB, 0]],
    ['one extent', REQ_ONE, { length: SIZE }, [HOLE, 0]],
    ['a part of a hole', REQ_ONE, { offset: HOLE + 9, length: 50 }, [50, 3]]
  ])('tell where holes are: %s', async (_name, flags, range, expected) => {
    const client = await open('structured')
    client.send(request({ type: BLOCK_STATUS, flags, ...range }))
    expect(await client.reply()).toEqual({
      kind: 'chunk',
      isDone: true,
      type: 5,
      cookie: 7,
      payload: Buffer.concat([u32(1), ...expected.map(u32)])
    })
  })
})

test('a simple reply that fails in its middle ends the connection', async () => {
  const client = await open('simple')
  file.broken = 6 * MIB + 256 * KIB
  client.send(request({ type: READ, offset: 6 * MIB, length: MIB }))
  const { length } = await client.bytes(16 + MIB)
  expect(length).toBe(16 + 256 * KIB)
})

test('an empty export can be opened', async () => {
  const client = await open('structured', 'empty')
  client.send(request({ type: READ, length: 1 }))
  const reply = await client.reply()
  expect(reply.kind === 'chunk' && errorOf(reply.payload).error).toBe(22)
})

describe('clients that misbehave', () => {
  test('and vanish leave nothing waiting', async () => {
    const open64 = await Promise.all(Array.from({ length: 64 }, () => open('structured')))
    for (const client of open64) {
      client.send(
        ...Array.from({ length: 20 }, () => request({ type: READ, offset: 6 * MIB, length: MIB }))
      )
      client.socket.pause()
    }
    await until(() => file.reads.length > 64)
    for (const client of open64) client.socket.destroy()
    await settled()
    const before = file.reads.length
    await sleep(20)
    expect(file.reads).toHaveLength(before)
    expect(before).toBeLessThan(64 * 20)
    const { content } = await (await open('simple')).read({ length: 10 })
    expect(content).toEqual(file.content.subarray(0, 10))
  })

  test('and do not read keep no others waiting', async () => {
    for (let i = 0; i < 64; i++) {
      const client = await open('structured')
      client.send(
        ...Array.from({ length: 20 }, () => request({ type: READ, offset: 6 * MIB, length: MIB }))
      )
    }
    await settled()
    const other = await open('structured')
    const { content } = await other.read({ offset: 6 * MIB, length: MIB })
    expect(content.equals(file.content.subarray(6 * MIB, 7 * MIB))).toBe(true)
  })

  test('and end in the middle of a message end alone', async () => {
    for (const bytes of [
      [],
      [clientFlags(3)],
      [clientFlags(3), option(7, infoData('')).subarray(0, 20)]
    ]) {
      const client = await connect()
      client.socket.end(Buffer.concat(bytes))
      await client.bytes(GREETING.length)
      expect(await client.isClosed()).toBe(true)
    }
  })

  test('and say nothing are closed after a while, but not once they have chosen', async () => {
    await serving!.close()
    await start(100)
    const silent = await connect()
    const chosen = await open('simple')
    await silent.bytes(GREETING.length)
    expect(await silent.isClosed()).toBe(true)
    await sleep(150)
    expect((await chosen.read({ length: 4 })).content).toEqual(file.content.subarray(0, 4))
  })

  test('and negotiate for ever are closed, too', async () => {
    await serving!.close()
    await start(300)
    const client = await connect()
    client.send(clientFlags(3))
    const end = Date.now() + 10_000
    while (!client.socket.closed && Date.now() < end) {
      client.send(option(8), option(9, contextData('')))
      client.socket.read()
      await sleep(5)
    }
    expect(client.socket.closed).toBe(true)
  })

  test('and are too many are turned away', async () => {
    const many = await Promise.all(Array.from({ length: 256 }, () => connect()))
    await Promise.all(many.map((client) => client.bytes(GREETING.length)))
    const one = await connect()
    expect(await one.isClosed()).toBe(true)
    await many[0]!.close()
    await settled()
    expect(await (await connect()).bytes(GREETING.length)).toEqual(GREETING)
  })
})

describe('closing', () => {
  test('lets clients have what they asked for, and refuses what comes then', async () => {
    let openGate = (): void => undefined
    file.gate = new Promise((resolve) => (openGate = resolve))
    const client = await open('structured')
    const idle = await open('structured')
    client.send(request({ type: READ, offset: 6 * MIB, length: MIB }))
    await settled()
    const closing = serving!.close()
    expect(await idle.isClosed()).toBe(true)
    client.send(request({ type: READ, length: 1, cookie: 8 }))
    const refused = await client.reply()
    expect(refused.cookie).toBe(8)
    expect(refused.kind === 'chunk' && errorOf(refused.payload).error).toBe(108)
    openGate()
    const { content } = await readOne(client, MIB)
    expect(content.equals(file.content.subarray(6 * MIB, 7 * MIB))).toBe(true)
    expect(await client.isClosed()).toBe(true)
    await closing
    expect(fs.readdirSync(work)).toEqual([])
  })

  test('does not wait for clients that do not read, nor for a file that hangs', async () => {
    const slow = await open('structured')
    slow.send(
      ...Array.from({ length: 20 }, () => request({ type: READ, offset: 6 * MIB, length: MIB }))
    )
    await until(() => file.reads.length > 0)
    file.gate = new Promise(() => undefined)
    const stuck = await open('simple')
    stuck.send(request({ type: READ, length: 1 }))
    await settled()
    const begun = Date.now()
    await serving!.close()
    expect(Date.now() - begun).toBeLessThan(5000)
    expect(await stuck.isClosed()).toBe(true)
  })

  test('refuses options and connections', async () => {
    const client = await connect()
    await client.bytes(GREETING.length)
    await serving!.close()
    expect(await client.isClosed()).toBe(true)
    await expect(NbdClient.connect(where)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('the socket', () => {
  test('is for its owner alone, whatever the umask', async () => {
    await serving!.close()
    const mask = process.umask(0)
    try {
      await start()
    } finally {
      process.umask(mask)
    }
    expect(fs.statSync(`${work}/socket`).mode).toBe(0o140600)
    expect(fs.readdirSync(work)).toEqual(['socket'])
  })

  test.each([
    ['a file', (path: string) => fs.writeFileSync(path, 'kept')],
    ['a link that leads nowhere', (path: string) => fs.symlinkSync('nowhere', path)],
    ['a directory', (path: string) => fs.mkdirSync(path)]
  ])('does not replace %s', async (_name, make) => {
    const path = `${work}/there`
    make(path)
    const before = fs.lstatSync(path)
    await expect(serveAt({ socket: path })).rejects.toMatchObject({ code: 'TARGET_INVALID' })
    expect(fs.lstatSync(path).ino).toBe(before.ino)
    expect(fs.readdirSync(work).sort()).toEqual(['socket', 'there'])
  })

  test('does not replace that of another server', async () => {
    await expect(start()).rejects.toMatchObject({
      code: 'TARGET_INVALID',
      facts: { path: `${work}/socket` }
    })
    expect((await (await open('simple')).read({ length: 4 })).content).toEqual(
      file.content.subarray(0, 4)
    )
  })

  test('is not removed if something else has its path by then', async () => {
    fs.rmSync(`${work}/socket`)
    fs.writeFileSync(`${work}/socket`, 'mine')
    await serving!.close()
    expect(fs.readFileSync(`${work}/socket`, 'utf8')).toBe('mine')
  })

  test('can have a path of 107 bytes, and no longer one', async () => {
    const path = `${work}/`.padEnd(107, 'x')
    const other = await serveAt({ socket: path })
    const client = await NbdClient.open({ path }, 'simple')
    await client.close()
    await other.close()
    await expect(serveAt({ socket: `${path}x` })).rejects.toMatchObject({ code: 'USAGE' })
    expect(fs.readdirSync(work)).toEqual(['socket'])
  })

  test('needs a directory', async () => {
    const place = { socket: `${work}/missing/socket` }
    await expect(serveAt(place)).rejects.toMatchObject({ code: 'SYSCALL_FAILED', errno: 'ENOENT' })
  })

  test('is temporary if no place is given', async () => {
    const other = await serveAt({})
    const path = other.address.socket!
    expect(fs.statSync(path.replace(/\/socket$/, '')).mode & 0o777).toBe(0o700)
    await (await NbdClient.open({ path }, 'simple')).close()
    await other.close()
    expect(fs.existsSync(path.replace(/\/socket$/, ''))).toBe(false)
  })
})

describe('a port', () => {
  test('is on the loopback interface', async () => {
    const other = await serveAt({ port: 0 })
    const { host, port } = other.address as { host: string; port: number }
    expect(host).toBe('127.0.0.1')
    const client = await NbdClient.open({ host, port }, 'structured')
    expect((await client.read({ length: 4 })).content).toEqual(file.content.subarray(0, 4))
    await client.close()
    await other.close()
  })

  test('that another process has is an error', async () => {
    const taken = createServer()
    taken.listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    await expect(serveAt({ port })).rejects.toMatchObject({
      code: 'TARGET_BUSY',
      facts: { found: port }
    })
    taken.close()
  })
})

function serveAt(place: { socket?: string; port?: number }): Promise<Serving> {
  const files = [{ name: 'disk', size: SIZE, file }] as const
  const options = { onLeftover: () => undefined, onFailure: () => undefined }
  return serve(files, { socket: place.socket, port: place.port }, options)
}

/** The answer to a read that was sent already, of the first bytes or those from 6 MiB on. */
async function readOne(client: NbdClient, length: number): Promise<{ content: Buffer }> {
  const content = Buffer.alloc(length)
  let start: number | undefined
  for (;;) {
    const reply = await client.reply()
    if (reply.kind === 'simple') return { content: await client.bytes(length) }
    const offset = Number(reply.payload.readBigUInt64BE())
    start ??= offset
    reply.payload.copy(content, offset - start, 8)
    if (reply.isDone) return { content }
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2)
}

/** When the file is no longer read. */
async function settled(): Promise<void> {
  let before = -1
  while (before !== file.reads.length) {
    before = file.reads.length
    await sleep(50)
  }
}
