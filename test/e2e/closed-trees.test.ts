/** Trees whose modes keep their owner out, in the hands of an ordinary user: the results are those of root. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { snapshot } from '../reference/snapshot.ts'
import { AS_USER, giveToUser, MAPS, runAsUser, USER } from '../support/as-user.ts'
import { CLOSED_EDIT, CLOSED_TREE } from '../support/closed-tree.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { expectOk, ok, type Run } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'

const LAYER = tar(...CLOSED_TREE)

let scratch: string
let at: string
let image: string

const asUser = (...args: string[]): Run => runAsUser(...ociUnpackCommand, ...args)
const asUserOk = (...args: string[]): Run => expectOk(asUser(...args), args.join(' '))

beforeEach(() => {
  scratch = makeTemporary()
  at = `${scratch}/at`
  fs.mkdirSync(at)
  image = buildImage(`${at}/image`, { layers: [LAYER] }).reference
  giveToUser(at)
})

afterEach(() => removeTemporary(scratch))

/** Layers of an image in the layout. */
function layersOf(tag: string, layout = 'image'): string[] {
  const read = (path: string): unknown =>
    JSON.parse(fs.readFileSync(`${at}/${layout}/${path}`, 'utf8'))
  const { manifests } = read('index.json') as { manifests: Tagged[] }
  const { digest } = manifests.find(({ annotations }) => Object.values(annotations).includes(tag))!
  const { layers } = read(`blobs/${digest.replace(':', '/')}`) as { layers: { digest: string }[] }
  return layers.map((layer) => layer.digest)
}

interface Tagged {
  digest: string
  annotations: Record<string, string>
}

const unpackedByUser = (name: string, from = image): string => {
  asUserOk('unpack', '--image', from, ...MAPS, `${at}/${name}`)
  return `${at}/${name}`
}

/** Changes in directories of each kind, with times that are always the same. */
function edit(bundle: string): void {
  const rootfs = `${bundle}/rootfs`
  fs.writeFileSync(`${rootfs}/none/inner/key`, 'another')
  fs.mkdirSync(`${rootfs}/none/inner/new`, { mode: 0 })
  fs.writeFileSync(`${rootfs}/none/inner/new/file`, 'new', { mode: 0o200 })
  fs.rmSync(`${rootfs}/read/file`)
  fs.chmodSync(`${rootfs}/write`, 0)
  for (const path of ['none/inner/new/file', 'none/inner/new', 'none/inner']) {
    fs.lchownSync(`${rootfs}/${path}`, USER, USER)
    fs.utimesSync(`${rootfs}/${path}`, 2000, 2000)
  }
  for (const path of ['none/inner/key', 'read']) fs.utimesSync(`${rootfs}/${path}`, 2000, 2000)
}

describe.runIf(needs('root', 'setpriv'))('a tree that keeps its owner out', () => {
  test('is unpacked as by root, compared, and deleted', () => {
    const bundle = unpackedByUser('bundle')
    ociUnpackOk('unpack', '--image', image, ...MAPS, `${scratch}/roots`)
    const tree = snapshot(`${bundle}/rootfs`)
    expect(tree).toBe(snapshot(`${scratch}/roots/rootfs`))
    const names = fs.readdirSync(bundle)
    expect(asUserOk('diff', bundle)).toMatchObject({ stdout: '', stderr: '' })
    asUserOk('repack', '--image', `${at}/image:same`, bundle)
    expect(layersOf('same')).toEqual(layersOf('latest'))
    expect(snapshot(`${bundle}/rootfs`)).toBe(tree)
    expect(fs.readdirSync(bundle)).toEqual(names)
    asUserOk('bundle', 'delete', bundle)
    expect(fs.readdirSync(at)).toEqual(['image'])
  })

  test.each([[[]], [['--refresh-bundle']]])('is repacked as by root: %j', (flags: string[]) => {
    const bundle = unpackedByUser('bundle')
    ociUnpackOk('unpack', '--image', image, ...MAPS, `${scratch}/roots`)
    edit(bundle)
    edit(`${scratch}/roots`)
    const tree = snapshot(`${bundle}/rootfs`)
    asUserOk('repack', '--image', `${at}/image:user`, ...flags, bundle)
    expect(snapshot(`${bundle}/rootfs`)).toBe(tree)
    if (flags.length > 0) expect(asUserOk('diff', bundle).stdout).toBe('')
    ociUnpackOk('repack', '--image', `${at}/image:root`, `${scratch}/roots`)
    expect(layersOf('user')).toHaveLength(2)
    expect(layersOf('user')).toEqual(layersOf('root'))
  })

  test('has owners and capabilities of its own, which a rootless repack keeps', () => {
    const pax = { 'SCHILY.xattr.security.capability': `\x01\0\0\x02\0\x20${'\0'.repeat(14)}` }
    const layer = tar(
      directory('s/', { mode: 0, uid: 5 }),
      file('s/owned', 'a', { mode: 0, gid: 42 }),
      file('s/capable', 'b', { mode: 0o111, uid: 7, pax })
    )
    const { reference } = buildImage(`${at}/owned`, { layers: [layer] })
    giveToUser(at)
    asUserOk('unpack', '--rootless', '--image', reference, `${at}/users`)
    ociUnpackOk('unpack', '--image', reference, `${scratch}/roots`)
    for (const bundle of [`${at}/users`, `${scratch}/roots`])
      for (const path of ['s/owned', 's/capable', 's'])
        fs.utimesSync(`${bundle}/rootfs/${path}`, 2000, 2000)
    asUserOk('repack', '--image', `${at}/owned:user`, `${at}/users`)
    ociUnpackOk('repack', '--image', `${at}/owned:root`, `${scratch}/roots`)
    expect(layersOf('user', 'owned')).toHaveLength(2)
    expect(layersOf('user', 'owned')).toEqual(layersOf('root', 'owned'))
  })

  test('is nothing that a failing unpack leaves behind', () => {
    const config = { config: { User: 'nobody knows' } }
    buildImage(`${at}/image`, { layers: [LAYER], config, tag: 'user' })
    giveToUser(at)
    const { stderr } = asUser('unpack', '--image', `${at}/image:user`, ...MAPS, `${at}/bundle`)
    expect(stderr).toContain('[USER_NOT_FOUND]')
    expect(stderr).not.toContain('EACCES')
    expect(fs.readdirSync(at)).toEqual(['image'])
  })

  test('gets another image on top, as by root', () => {
    const edited = buildImage(`${at}/edit`, { layers: [tar(...CLOSED_EDIT)] }).reference
    giveToUser(at)
    for (const [run, tree] of [
      [asUserOk, `${at}/tree`] as const,
      [ociUnpackOk, `${at}/roots`] as const
    ])
      for (const each of [image, edited]) run('raw', 'unpack', '--image', each, ...MAPS, tree)
    expect(snapshot(`${at}/tree`)).toBe(snapshot(`${at}/roots`))
    expect(fs.readdirSync(at).sort()).toEqual(['edit', 'image', 'roots', 'tree'])
  })

  test('is inserted, and compared with a tree manifest', () => {
    const bundle = unpackedByUser('bundle')
    asUserOk('raw', 'unpack', '--image', image, ...MAPS, `${at}/tree`)
    const tree = snapshot(`${at}/tree`)
    const manifest = fs.readdirSync(bundle).find((name) => name.endsWith('.mtree'))!
    const validate = ['raw', 'mtree-validate', '-f', `${bundle}/${manifest}`, '-p', `${at}/tree`]
    expect(asUser(...validate).stderr).toContain('EACCES')
    asUserOk(...validate, '--rootless')
    buildImage(`${at}/empty`, { layers: [] })
    giveToUser(`${at}/empty`)
    const insert = ['insert', '--image', `${at}/empty:latest`, `${at}/tree`, '/']
    expect(asUser(...insert, ...MAPS).stderr).toContain('EACCES')
    asUserOk(...insert, '--rootless')
    expect(snapshot(`${at}/tree`)).toBe(tree)
    asUserOk('raw', 'unpack', '--image', `${at}/empty:latest`, ...MAPS, `${at}/copy`)
    expect(snapshot(`${at}/copy`)).toBe(tree)
  })

  test('does not look changed to two that compare it at once', async () => {
    const bundle = unpackedByUser('bundle')
    const words = [...AS_USER, ...ociUnpackCommand, 'diff', bundle]
    const runs = [1, 2, 3].map(() => spawn(words[0]!, words.slice(1)))
    const said = await Promise.all(
      runs.map(async (run) => {
        let text = ''
        for (const stream of [run.stdout, run.stderr])
          stream.on('data', (part: Buffer) => (text += part.toString()))
        const [status] = (await once(run, 'close')) as [number]
        return `${status}${text}`
      })
    )
    expect(said).toEqual(['0', '0', '0'])
  })

  test('is inserted by several at once, and by one after another was killed', async () => {
    asUserOk('raw', 'unpack', '--image', image, ...MAPS, `${at}/tree`)
    for (let number = 0; number < 60; number++)
      fs.mkdirSync(`${at}/tree/usr/d${number}`, { mode: [0, 0o300, 0o555][number % 3]! })
    giveToUser(at)
    const tree = snapshot(`${at}/tree`)
    const insert = (tag: string): string[] => [
      ...[...AS_USER, ...ociUnpackCommand, 'insert', '--rootless'],
      ...['--image', image, '--tag', tag, `${at}/tree`, '/copy']
    ]
    const killed = spawn(insert('killed')[0]!, insert('killed').slice(1))
    const isLent = (): boolean => (fs.statSync(`${at}/tree/usr/d0`).mode & 0o700) !== 0
    while (!isLent() && killed.exitCode === null) await setTimeout(1)
    killed.kill('SIGKILL')
    await once(killed, 'close')
    const tags = ['one', 'two', 'three']
    const runs = tags.map((tag) => spawn(insert(tag)[0]!, insert(tag).slice(1)))
    const ends = await Promise.all(runs.map(async (run) => (await once(run, 'close')) as [number]))
    expect(ends.map(([status]) => status)).toEqual([0, 0, 0])
    expect(snapshot(`${at}/tree`)).toBe(tree)
    expect(new Set(tags.map((tag) => layersOf(tag).at(-1))).size).toBe(1)
    expect(fs.readdirSync(at).sort()).toEqual(['image', 'tree'])
  })

  test('is put right after a kill: by its user, in a copy too, and root does not take it for changed', async () => {
    const bundle = unpackedByUser('bundle')
    const tree = snapshot(`${bundle}/rootfs`)
    const inner = `${bundle}/rootfs/none`
    const isLent = (): boolean => (fs.statSync(inner).mode & 0o700) !== 0
    for (let tries = 0; !isLent() && tries < 50; tries++) {
      const [program, ...words] = [...AS_USER, ...ociUnpackCommand, 'diff', bundle]
      const run = spawn(program, words)
      while (!isLent() && run.exitCode === null) await setTimeout(1)
      run.kill('SIGKILL')
      if (run.exitCode === null) await once(run, 'close')
    }
    expect(isLent()).toBe(true)
    ok('cp', '-a', bundle, `${at}/copy`)
    const { status, stderr } = ociUnpack('diff', bundle)
    expect([status, stderr]).toEqual([1, expect.stringContaining('[BUNDLE_BUSY]')])
    for (const each of [`${at}/copy`, bundle]) {
      expect(asUserOk('diff', each)).toMatchObject({ stdout: '', stderr: '' })
      expect(snapshot(`${each}/rootfs`)).toBe(tree)
    }
    expect(ociUnpackOk('diff', bundle).stdout).toBe('')
  })

  test('says where nothing may be made', () => {
    fs.mkdirSync(`${at}/closed`, { mode: 0o555 })
    giveToUser(at)
    fs.chmodSync(`${at}/closed`, 0o555)
    const { stderr } = asUser('unpack', '--rootless', '--image', image, `${at}/closed/bundle`)
    expect(stderr).toContain(`  path: ${at}/closed/bundle\n`)
    expect(stderr).toContain('permission denied')
    expect(stderr).toContain('Choose a directory in which you may make files.')
  })

  test.runIf(needs('mounts'))('leaves a mount of the same user as it is', () => {
    const bundle = unpackedByUser('bundle')
    const theirs = `${at}/theirs`
    fs.mkdirSync(`${theirs}/inside`, { recursive: true })
    giveToUser(theirs)
    for (const path of [`${theirs}/inside`, theirs]) fs.chmodSync(path, 0)
    ok('mount', '--bind', theirs, `${bundle}/rootfs/usr`)
    try {
      const before = snapshot(theirs)
      expect(asUser('diff', bundle).stderr).toContain('EACCES')
      fs.chmodSync(theirs, 0o755)
      expect(asUser('diff', bundle).stderr).toContain('EACCES')
      fs.chmodSync(theirs, 0)
      expect(asUser('bundle', 'delete', bundle).status).toBe(1)
      expect(snapshot(theirs)).toBe(before)
    } finally {
      ok('umount', `${bundle}/rootfs/usr`)
    }
  })

  test('belongs to another user: nothing is opened up', () => {
    const bundle = unpackedByUser('bundle')
    ok('chown', '0:0', `${bundle}/rootfs/none/inner`)
    const tree = snapshot(`${bundle}/rootfs`)
    expect(asUser('diff', bundle).stderr).toContain('EACCES')
    expect(snapshot(`${bundle}/rootfs`)).toBe(tree)
  })

  test('cannot be compared where no modes can be noted, and an open one can', () => {
    const open = buildImage(`${at}/open`, {
      layers: [tar(directory('a/'), file('a/b', 'b'))]
    }).reference
    giveToUser(at)
    for (const [bundle, said] of [
      [unpackedByUser('closed'), 'EACCES'],
      [unpackedByUser('opened', open), '']
    ] as const) {
      fs.chmodSync(bundle, 0o500)
      const tree = snapshot(`${bundle}/rootfs`)
      const { stdout, stderr } = asUser('diff', bundle)
      expect(stdout).toBe('')
      expect(stderr).toMatch(said === '' ? /^$/ : said)
      expect(snapshot(`${bundle}/rootfs`)).toBe(tree)
    }
  })
})
