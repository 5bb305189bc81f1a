/** `bundle save`: a bundle goes into an archive, and comes back as it was. */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { createServer } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { saveBundle, unpack, type EngineEvent, type SaveBundleOptions } from '../../src/index.ts'
import { buildRareImage } from '../e2e/rootless-image.ts'
import { readArchive } from '../support/archive.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { library } from '../support/dist.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok, run } from '../support/run.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { factsInArchive, writeSparse } from '../support/tree.ts'
import { unpackOptions } from '../support/whoever.ts'
import { codeOf, recorder } from './support.ts'

let work: string
let bundle: string
let rootfs: string
beforeEach(async () => {
  work = makeTemporary()
  const { reference } = buildImage(`${work}/layout`, {
    layers: [tar(directory('d/', { mtime: 7 }), file('d/f', 'from the image'), file('gone'))]
  })
  bundle = `${work}/bundle`
  rootfs = `${bundle}/rootfs`
  await unpack({ ...unpackOptions, image: reference, destination: bundle, jobs: 0 })
})
afterEach(() => {
  run('chmod', '-R', 'u+rwX', work) // for those whom modes keep out
  removeTemporary(work)
})

async function save(name: string, more: Partial<SaveBundleOptions> = {}): Promise<string> {
  const archive = `${work}/${name}`
  await saveBundle({ bundle, archive: `tar:${archive}`, jobs: 1, ...more })
  return archive
}

/** All that an archive may get wrong. */
function change(): void {
  fs.rmSync(`${rootfs}/gone`)
  fs.mkdirSync(`${rootfs}/new/${'n'.repeat(200)}/${'m'.repeat(200)}`, { recursive: true })
  fs.writeFileSync(`${rootfs}/new/file`, 'x'.repeat(1000))
  fs.linkSync(`${rootfs}/new/file`, `${rootfs}/d/name`)
  fs.symlinkSync('t'.repeat(300), `${rootfs}/new/link`)
  fs.linkSync(`${rootfs}/new/link`, `${rootfs}/new/same-link`)
  fs.writeFileSync(Buffer.from(`${rootfs}/new/\xff\xfe\n`, 'latin1'), 'odd')
  fs.writeFileSync(`${rootfs}/new/${'l'.repeat(255)}`, 'long')
  writeSparse(`${rootfs}/new/holes`, 1_000_000, 'data', [300_000, 700_000])
  fs.truncateSync(newFile('only-hole'), 300_000)
  ok('mkfifo', `${rootfs}/new/fifo`)
  ok('touch', '-h', '-d', '2001-02-03 04:05:06.123456789', `${rootfs}/new/link`)
  ok('touch', '-d', '1969-12-31 23:59:54.499999999 UTC', newFile('before-1970'))
  fs.chmodSync(newFile('set-uid'), 0o4711)
  fs.chmodSync(`${rootfs}/new`, 0o1555)
}

function changeAsRoot(): void {
  ok('mknod', `${rootfs}/d/char`, 'c', '300', '70000')
  ok('mknod', `${rootfs}/d/block`, 'b', '8', '1')
  ok('chown', '-h', '3000000:4000000', `${rootfs}/new/link`, `${rootfs}/new/holes`)
  ok('setfattr', '-n', 'user.binary', '-v', '0x000a3dff', `${rootfs}/new/file`)
  ok('setfattr', '-h', '-n', 'trusted.note', '-v', 'n', `${rootfs}/new/link`)
  ok('setfattr', '-n', 'user.note', '-v', 'n', `${rootfs}/d`)
  ok('setcap', 'cap_net_raw+ep', `${rootfs}/new/holes`)
  ok('setfacl', '-m', 'u:77:rwx', `${rootfs}/new/set-uid`)
}

function newFile(name: string): string {
  fs.writeFileSync(`${rootfs}/new/${name}`, '')
  return `${rootfs}/new/${name}`
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  tar: [],
  'tar.gz': [],
  tgz: [],
  'tar.zst': ['zstd'],
  'tar.xz': ['xz'],
  'tar.bz2': ['bzip2']
}

describe.each(Object.entries(SUFFIXES))('an archive .%s', (suffix, programs) => {
  test.runIf(needs('python3', ...programs))('is unpacked to the same tree', async () => {
    change()
    const image = `tar:${await save(`saved.${suffix}`)}`
    await unpack({ ...unpackOptions, image, destination: `${work}/restored`, jobs: 0 })
    expect(compareTrees(rootfs, `${work}/restored/rootfs`)).toEqual([])
    expect(fs.statSync(`${work}/restored/rootfs/new/holes`).blocks * 512).toBeLessThan(300_000)
  })
})

test.runIf(needs('root', 'python3', 'setfattr', 'setcap', 'setfacl'))(
  'what only root can make comes back, also with GNU tar',
  async () => {
    change()
    changeAsRoot()
    const archive = await save('saved.tar')
    const destination = `${work}/restored`
    await unpack({ image: `tar:${archive}`, destination, jobs: 0 })
    expect(compareTrees(rootfs, `${destination}/rootfs`)).toEqual([])
    fs.mkdirSync(`${work}/gnu`)
    const all = ['--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner']
    ok('tar', '-x', '-p', ...all, '-f', archive, '-C', `${work}/gnu`)
    expect(compareTrees(rootfs, `${work}/gnu`)).toEqual([])
    expect(fs.statSync(`${work}/gnu/new/holes`).blocks * 512).toBeLessThan(300_000)
  }
)

test('the same tree has the same bytes, whoever helps', async () => {
  change()
  const read = async (name: string, jobs: number): Promise<Buffer> => {
    await library.saveBundle({ bundle, archive: `tar:${work}/${name}`, jobs })
    return fs.readFileSync(`${work}/${name}`)
  }
  const plain = await read('a.tar', 1)
  expect((await read('b.tar', 4)).equals(plain)).toBe(true)
  const packed = await read('a.tar.gz', 1)
  expect((await read('b.tar.gz', 4)).equals(packed)).toBe(true)
  expect(gunzipSync(packed).equals(plain)).toBe(true)
})

test('owners, devices and modes are those of the image, also without root', async () => {
  buildRareImage(`${work}/rare`)
  const image = `${work}/rare:latest`
  bundle = `${work}/rare-bundle`
  await unpack({ ...unpackOptions, image, destination: bundle, jobs: 0 })
  await library.copy({ source: image, destination: `tar:${work}/expected.tar` })
  const facts = (archive: string): unknown =>
    factsInArchive(readArchive(fs.readFileSync(archive))).filter(({ name }) => name !== '')
  expect(facts(await save('saved.tar'))).toEqual(facts(`${work}/expected.tar`))
})

test('ids are mapped back', async () => {
  const owned = tar(file('f', '', { uid: 0, gid: 5 }))
  const { reference: image } = buildImage(`${work}/mapped`, { layers: [owned] })
  const maps = [{ containerId: 0, hostId: process.getuid!() === 0 ? 1000 : 0, size: 10 }]
  bundle = `${work}/mapped-bundle`
  const options = { ...unpackOptions, uidMap: maps, gidMap: maps }
  await unpack({ ...options, image, destination: bundle, jobs: 0 })
  const [, member] = readArchive(fs.readFileSync(await save('saved.tar')))
  expect(member!.entry).toMatchObject({ name: 'f', uid: 0, gid: 5 })
})

test('sockets are left out, with a warning', async () => {
  const server = createServer().listen(`${rootfs}/d/socket`)
  await new Promise((resolve) => server.once('listening', resolve))
  const { events, onEvent } = recorder()
  const archive = await save('saved.tar', { onEvent })
  server.close()
  expect(events.filter(({ type }) => type === 'warning')).toEqual([
    {
      type: 'warning',
      message: 'An archive cannot hold a socket, so it is left out.',
      facts: { entry: 'd/socket' }
    }
  ])
  expect(execFileSync('tar', ['-tf', archive], { encoding: 'utf8' })).not.toContain('socket')
})

interface Refusal {
  archive?: string
  before?: () => void
  during?: (event: EngineEvent) => void
  signal?: AbortSignal
  code: string
}

const REFUSALS: Readonly<Record<string, Refusal>> = {
  'something that exists': {
    before: () => fs.writeFileSync(`${work}/saved.tar`, 'mine'),
    code: 'ARCHIVE_EXISTS'
  },
  'a name that says no compression': { archive: 'tar:saved', code: 'REFERENCE_INVALID' },
  'an image': { archive: 'layout:tag', code: 'REFERENCE_INVALID' },
  'a registry': { archive: 'docker://localhost/saved', code: 'REFERENCE_INVALID' },
  'a name that no image can contain': {
    before: () => fs.writeFileSync(`${rootfs}/.wh.x`, ''),
    code: 'ENTRY_INVALID'
  },
  'a file that disappears': {
    during: () => fs.rmSync(`${rootfs}/d/f`, { force: true }),
    code: 'FILE_CHANGED'
  },
  'a signal to stop': { signal: AbortSignal.abort(), code: 'ABORTED' },
  'a directory that is no bundle': {
    before: () => fs.renameSync(`${bundle}/umoci.json`, `${bundle}/other`),
    code: 'BUNDLE_INVALID'
  }
}

test.each(Object.entries(REFUSALS))('%s is refused, and nothing is left', async (_name, it) => {
  it.before?.()
  const before = fs.readdirSync(work).sort()
  const saving = saveBundle({
    bundle,
    archive: it.archive ?? `tar:${work}/saved.tar`,
    ...(it.signal === undefined ? {} : { signal: it.signal }),
    onEvent: (event) => {
      if (event.type === 'phase') it.during?.(event)
    }
  })
  expect(await codeOf(saving)).toBe(it.code)
  expect(fs.readdirSync(work).sort()).toEqual(before)
  if (it.code === 'ARCHIVE_EXISTS')
    expect(fs.readFileSync(`${work}/saved.tar`, 'utf8')).toBe('mine')
})

test.each(['', 'd/'])('an archive in the tree is refused: %s', async (directory) => {
  fs.symlinkSync(rootfs, `${work}/link`)
  const archive = `tar:${work}/link/${directory}saved.tar`
  expect(await codeOf(saveBundle({ bundle, archive }))).toBe('USAGE')
  expect(fs.readdirSync(`${rootfs}/${directory}`)).not.toContain('saved.tar')
})

describe.runIf(needs('root', 'mounts'))('what is mounted in the tree', () => {
  afterEach(() => run('umount', `${rootfs}/d`))

  test('is refused if the kernel shows itself there', async () => {
    ok('mount', '-t', 'proc', 'proc', `${rootfs}/d`)
    expect(await codeOf(save('saved.tar'))).toBe('BUNDLE_BUSY')
  })

  test('is packed otherwise, with a warning', async () => {
    ok('mount', '-t', 'tmpfs', 'tmpfs', `${rootfs}/d`)
    fs.writeFileSync(`${rootfs}/d/mounted`, '')
    const { events, onEvent } = recorder()
    const archive = await save('saved.tar', { onEvent })
    expect(events).toContainEqual(expect.objectContaining({ facts: { path: `${rootfs}/d` } }))
    expect(execFileSync('tar', ['-tf', archive], { encoding: 'utf8' })).toContain('d/mounted')
  })
})
