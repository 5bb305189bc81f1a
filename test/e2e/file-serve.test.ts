/** `file serve` as a user runs it, with the programs that speak NBD. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startFileServer, type FileServerProcess } from '../support/file-server.ts'
import { blobPath, buildImage, type BuiltImage } from '../support/image-builder.ts'
import { NbdClient } from '../support/nbd-client.ts'
import { request } from '../support/nbd-messages.ts'
import { makeQcow2, QCOW2_PROGRAMS } from '../support/qcow2.ts'
import { needs } from '../support/requires.ts'
import { ok, type Run } from '../support/run.ts'
import { directory, file, symlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand } from './cli.ts'

const MIB = 2 ** 20

let work: string
let image: string
/** Nothing is shared with other runs. */
let index: string
beforeAll(() => {
  work = makeTemporary()
  index = `${work}/index`
  const big = randomBytes(8 * MIB)
  fs.writeFileSync(`${work}/big`, big)
  const layer = tar(
    directory('disk'),
    file('disk/a', 'aaaa'),
    file('disk/b', 'bb'),
    file('big', big)
  )
  const upper = tar(file('disk/a', 'AAAA'), symlink('link', '/disk/b'))
  image = buildImage(`${work}/layout`, { layers: [layer, upper] }).reference
})
afterAll(() => removeTemporary(work))

let box: string
beforeEach(() => {
  box = makeTemporary()
})
afterEach(() => removeTemporary(box))

/** In a run that ends with its command. */
function served(command: string, ...args: string[]): Run {
  return ociUnpack('file', 'serve', '--index', index, '--image', image, '--run', command, ...args)
}

/** In a process of its own, with one export. */
function startOn(socket: string, path: string): Promise<FileServerProcess> {
  return startFileServer(1, '--image', image, '--index', index, '--socket', socket, path)
}

/** All that an unpack takes, too. */
const SHARED = [
  ...['--jobs', '1', '--decompressor', 'none', '--keep-dirlinks', '--max-entries', '10'],
  ...['--max-unpacked-bytes', '100000000', '--max-ratio', '1100', '--max-path-bytes', '200'],
  ...['--max-json-bytes', '100000', '--max-pax-bytes', '1000', '--log', 'warn']
]

describe('a server with --run', () => {
  test('tells its command where it is, and ends with its exit status', () => {
    const { status, stdout, stderr } = served(
      'echo "$uri,$nbd,$unixsocket,$port,$exportname"; stat -c %a,%F "$unixsocket"; exit 7',
      ...SHARED,
      '/disk/a'
    )
    const [variables, socket] = stdout.split('\n')
    const [uri, nbd, path, ...empty] = variables!.split(',')
    expect([status, stderr, socket]).toEqual([7, '', '600,socket'])
    expect([uri, empty]).toEqual([`nbd+unix:///?socket=${path!}`, ['', '']])
    expect(nbd).toBe(uri)
    expect(fs.existsSync(path!.replace(/\/socket$/, ''))).toBe(false)
  })

  test('says that a signal ended the command, or that there is none', () => {
    expect(served('kill -9 $$', 'big').status).toBe(128 + 9)
    expect(served('no-such-command', 'big').status).toBe(127)
  })

  test('leaves the standard streams to the command', () => {
    const { stdout } = served('cat </dev/null; echo only this', 'big')
    expect(stdout).toBe('only this\n')
  })

  test('can be on a port', () => {
    const { stdout } = served('echo "$uri $port $unixsocket"', '--port', '0', 'big')
    const [, port] = stdout.split(' ')
    expect(stdout).toBe(`nbd://127.0.0.1:${port!}/ ${port!} \n`)
  })
})

test('a server prints the URIs of its exports, and removes its files when a signal ends it', async () => {
  const socket = `${box}/a socket`
  const pidFile = `${box}/pid`
  fs.writeFileSync(pidFile, `${spawnSync('true').pid}\n`) // of a run that was killed
  const args = ['--image', image, '--index', index, '--socket', socket, '--pid-file', pidFile]
  const server = await startFileServer(3, ...args, 'disk/a', '/link', 'big', 'big')
  const encoded = socket.replaceAll(' ', '%20')
  expect(server.uris).toEqual(
    ['disk/a', 'link', 'big'].map((name) => `nbd+unix:///${name}?socket=${encoded}`)
  )
  expect(fs.readFileSync(pidFile, 'utf8')).toBe(`${server.pid}\n`)
  expect(fs.readdirSync(box).sort()).toEqual(['a socket', 'pid'])
  const contents = ['', '/disk/a', './link'].map(async (name) => {
    const client = await NbdClient.open({ path: socket }, 'simple', name)
    const { content } = await client.read({ length: 2 })
    await client.close()
    return content.toString()
  })
  expect(await Promise.all(contents)).toEqual(['AA', 'AA', 'bb'])
  await expect(NbdClient.open({ path: socket }, 'simple', 'disk/b')).rejects.toThrow('refused')
  const { status, stderr } = await server.end('SIGTERM')
  expect([status, stderr]).toEqual([143, expect.stringContaining('[ABORTED]')])
  expect(fs.readdirSync(box)).toEqual([])
})

test('a second signal is not needed, whatever clients do', async () => {
  const socket = `${box}/socket`
  const server = await startOn(socket, 'big')
  const idle = await NbdClient.open({ path: socket }, 'simple')
  const stuck = await NbdClient.open({ path: socket }, 'structured')
  stuck.send(...Array.from({ length: 100 }, () => request({ type: 0, length: MIB })))
  await sleep(200)
  expect((await server.end('SIGINT')).status).toBe(130)
  expect(fs.readdirSync(box)).toEqual([])
  await Promise.all([idle.close(), stuck.close()])
})

test('a server whose URIs nobody reads goes on', async () => {
  const socket = `${box}/socket`
  const child = spawnServer('--socket', socket, '--pid-file', `${box}/pid`, 'big')
  child.stdout!.destroy()
  const ended = once(child, 'exit')
  while (!fs.existsSync(`${box}/pid`)) await sleep(20)
  await sleep(200)
  const client = await NbdClient.open({ path: socket }, 'simple')
  expect((await client.read({ length: 5 })).error).toBeUndefined()
  await client.close()
  child.kill()
  expect(await ended).toEqual([143, null])
})

test('a signal to the server ends its command, and what that has started', async () => {
  const command = [
    'sleep 60 & echo $! >first',
    `sh -c "trap '' TERM; echo \\$\\$ >stubborn; while :; do sleep 60; done" &`,
    'while ! test -s stubborn; do sleep 0.05; done; sleep 0.1; echo $$ >shell; wait'
  ].join('\n')
  const child = spawnServer('--run', `cd ${box}\n${command}`, 'big')
  const ended = once(child, 'exit')
  while (!fs.existsSync(`${box}/shell`)) await sleep(20)
  await sleep(100)
  child.kill()
  expect(await ended).toEqual([143, null])
  const pids = ['first', 'stubborn', 'shell'].map((name) =>
    fs.readFileSync(`${box}/${name}`, 'utf8')
  )
  const left = pids.map(Number).filter(isRunning)
  for (const pid of left) process.kill(pid, 'SIGKILL')
  expect(left).toEqual([])
})

function spawnServer(...args: string[]): ChildProcess {
  const words = ['file', 'serve', '--image', image, '--index', index, ...args]
  const [node, main] = ociUnpackCommand
  return spawn(node, [main, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** What has ended may not have been reaped yet. */
function isRunning(pid: number): boolean {
  if (!fs.existsSync(`/proc/${pid}/stat`)) return false
  return !/\) [ZX] /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

test('a server needs a place to listen', () => {
  const { status, stderr } = ociUnpack('file', 'serve', '--image', image, 'big')
  expect(status).toBe(1)
  expect(stderr).toContain('Give --socket, --port or --run.')
})

test.each(['pid-file', 'run', 'index'])('an empty --%s is a mistake', (name) => {
  const { status, stderr } = ociUnpack(
    ...['file', 'serve', '--image', image, '--port', '0', '--index', index],
    ...[`--${name}`, '', 'big']
  )
  expect([status, stderr]).toEqual([1, expect.stringContaining('[USAGE]')])
})

test('a path that is taken is an error that says what to do, and nothing is changed', () => {
  fs.writeFileSync(`${box}/taken`, 'kept')
  const args = ['--image', image, '--index', index, '--socket', `${box}/taken`, 'big']
  const { status, stderr } = ociUnpack('file', 'serve', ...args)
  expect([status, fs.readFileSync(`${box}/taken`, 'utf8')]).toEqual([1, 'kept'])
  expect(stderr).toContain('[TARGET_INVALID]')
  expect(stderr).toContain('Choose another --socket.')
  expect(fs.readdirSync(box)).toEqual(['taken'])
})

test('memory stays flat with 64 clients that do not read what they ask for', async () => {
  const socket = `${box}/socket`
  const server = await startOn(socket, 'big')
  const clients = await Promise.all(
    Array.from({ length: 64 }, () => NbdClient.open({ path: socket }, 'structured'))
  )
  const first = await Promise.all(clients.map((client) => client.read({ length: MIB })))
  const big = fs.readFileSync(`${work}/big`)
  expect(first.every(({ content }) => content.equals(big.subarray(0, MIB)))).toBe(true)
  const before = server.memory()
  // two GiB of answers
  for (const client of clients)
    client.send(
      ...Array.from({ length: 32 }, (_, cookie) => request({ type: 0, cookie, length: MIB }))
    )
  await sleep(1000)
  const growth = server.memory() - before
  console.info(`64 clients: ${before} KiB, ${growth} KiB more while they do not read`)
  expect(growth).toBeLessThan(32 * 1024)
  for (const client of clients) client.socket.destroy()
  await sleep(100)
  const fresh = await NbdClient.open({ path: socket }, 'simple')
  expect((await fresh.read({ length: 9 })).content).toEqual(big.subarray(0, 9))
  await fresh.close()
  expect((await server.end('SIGTERM')).status).toBe(143)
})

describe.runIf(needs('nbdcopy', 'nbdinfo', 'nbdkit', ...QCOW2_PROGRAMS))('a disk', () => {
  let disk: string
  let old: string
  let built: BuiltImage
  beforeAll(() => {
    disk = `${work}/disk.qcow2`
    old = `${work}/old.qcow2`
    makeQcow2(disk, 'new'.repeat(100_000))
    makeQcow2(old, 'old'.repeat(100_000))
    const layerOf = (path: string): Buffer =>
      tar(directory('disk'), file('disk/disk.qcow2', fs.readFileSync(path)))
    const lower = layerOf(old)
    const upper = layerOf(disk)
    built = buildImage(`${work}/disks`, {
      layers: [
        { tar: lower, blob: lower, mediaType: 'application/vnd.oci.image.layer.v1.tar' },
        { tar: upper, blob: gzipSync(upper) }
      ]
    })
    image = built.reference
  })

  test('is copied by nbdcopy and qemu-img byte by byte, and compared', () => {
    const { status, stderr, stdout } = served(
      [
        `nbdcopy "$uri" ${box}/nbdcopy`,
        `nbdcopy --synchronous "$uri" ${box}/slow`,
        `qemu-img convert -f raw -O raw "$uri" ${box}/convert`,
        `qemu-img compare "$uri" ${disk}`,
        `qemu-img info --output=json "$uri" >${box}/info`
      ].join(' && '),
      'disk/disk.qcow2'
    )
    expect([status, stderr]).toEqual([0, ''])
    for (const name of ['nbdcopy', 'slow', 'convert']) ok('cmp', `${box}/${name}`, disk)
    expect(stdout).toContain('Images are identical.')
    const info = JSON.parse(fs.readFileSync(`${box}/info`, 'utf8')) as object
    expect(info).toMatchObject({ format: 'qcow2', 'virtual-size': 32 * MIB })
  })

  test('is the same over a port, and through nbdkit', () => {
    const { status, stderr } = served(
      [
        `qemu-img convert -f raw -O raw "$uri" ${box}/convert`,
        `nbdkit nbd "$uri" --run 'nbdcopy "$uri" ${box}/nbdkit'`
      ].join(' && '),
      '--port',
      '0',
      'disk/disk.qcow2'
    )
    expect([status, stderr]).toEqual([0, ''])
    for (const name of ['nbdkit', 'convert']) ok('cmp', `${box}/${name}`, disk)
  })

  test('shows what it is and where it has holes', () => {
    const { stdout } = served(
      'nbdinfo "$uri"; qemu-img map -f raw --output=json "$uri"',
      'disk/disk.qcow2'
    )
    expect(stdout).toContain(`export-size: ${fs.statSync(disk).size} `)
    for (const fact of [
      'is_read_only: true',
      'can_multi_conn: true',
      'can_df: true',
      'base:allocation'
    ])
      expect(stdout).toContain(fact)
    const map = JSON.parse(stdout.slice(stdout.indexOf('['))) as Extent[]
    const holes = map.filter(({ zero }) => zero)
    expect(holes.length).toBeGreaterThan(3)
    const content = fs.readFileSync(disk)
    for (const { start, length } of holes)
      expect(content.subarray(start, start + length).every((byte) => byte === 0)).toBe(true)
    expect(map.reduce((sum, { length }) => sum + length, 0)).toBe(content.length)
  })

  interface Extent {
    start: number
    length: number
    zero: boolean
  }

  test('in a layer that was damaged since its index was made is an error, never wrong bytes', async () => {
    const socket = `${box}/socket`
    const server = await startOn(socket, 'disk/disk.qcow2')
    const blob = blobPath(built.layout, built.layers[1]!)
    const bytes = fs.readFileSync(blob)
    const damaged = Buffer.from(bytes)
    damaged.fill(0x55, damaged.length >> 1, (damaged.length >> 1) + 100)
    fs.writeFileSync(blob, damaged)
    try {
      const client = await NbdClient.open({ path: socket }, 'structured')
      const { size } = fs.statSync(disk)
      const { error } = await client.read({ length: size })
      expect(error).toMatchObject({ error: 5 })
      expect(error!.message).toMatch(/\[[A-Z_]+\]$/)
      await client.close()
    } finally {
      fs.writeFileSync(blob, bytes)
    }
    const { stderr } = await server.end('SIGTERM')
    const name = built.layers[1]!.digest.replace(':', '-')
    expect(stderr).toContain('A file could not be read for a client. (')
    for (const fact of [`file: ${index}/${name}`, 'entry: disk/disk.qcow2', '[INDEX_INVALID]'])
      expect(stderr).toContain(fact)
  })
})
