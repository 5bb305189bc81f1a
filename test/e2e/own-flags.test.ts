/** Flags that umoci does not have, and no other test passes to the built program: each one's effect. */
import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { shippedSet } from '../conformance/kit.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage, type BuiltImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { documents } from './both-programs.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'

const PAX = { 'SCHILY.xattr.user.a': 'b'.repeat(100) }
const LAYER = tar(directory('d/'), file('d/f', 'f'.repeat(5000), { pax: PAX }), directory('v/'))

let work: string
let built: BuiltImage
let image: string[]
beforeEach(() => {
  work = makeTemporary()
  const config = { config: { Volumes: { '/v': {} } } }
  built = buildImage(`${work}/layout`, { layers: [LAYER], config })
  image = ['--image', built.reference]
})
afterEach(() => removeTemporary(work))

describe.runIf(needs('root'))('limits', () => {
  /** As much as the ratio is looked at for. */
  const ZEROS = tar(directory('d/'), file('d/f', Buffer.alloc(65 << 20), { pax: PAX }))
  const LIMITS: readonly [flag: string, enough: number, tooSmall: number][] = [
    ['max-entries', 2, 1],
    ['max-unpacked-bytes', ZEROS.length, ZEROS.length - 1],
    ['max-path-bytes', 3, 2],
    ['max-ratio', 1100, 50],
    ['max-json-bytes', 10_000, 100],
    ['max-pax-bytes', 200, 100]
  ]

  test.each(['unpack', 'raw unpack'])('let pass what %s needs, and no more', (command) => {
    const { reference } = buildImage(`${work}/zeros`, { layers: [ZEROS] })
    const words = [...command.split(' '), '--image', reference]
    ociUnpackOk(...words, ...LIMITS.map(([flag, enough]) => `--${flag}=${enough}`), `${work}/out`)
    for (const [flag, , tooSmall] of LIMITS) {
      const { status, stderr } = ociUnpack(...words, `--${flag}=${tooSmall}`, `${work}/not`)
      expect(`${flag}: ${stderr}`).toMatch(/\[LIMIT_EXCEEDED\]/)
      expect(status).toBe(1)
      expect(fs.existsSync(`${work}/not`)).toBe(false)
    }
  })

  test('mean the same for verify', () => {
    const { reference } = buildImage(`${work}/zeros`, { layers: [ZEROS] })
    const words = ['verify', '--image', reference]
    ociUnpackOk(...words, ...LIMITS.map(([flag, enough]) => `--${flag}=${enough}`))
    for (const [flag, , tooSmall] of LIMITS) {
      const { status, stdout, stderr } = ociUnpack(...words, `--${flag}=${tooSmall}`)
      expect(`${flag}: ${stdout}${stderr}`).toMatch(/\[LIMIT_EXCEEDED\]/)
      expect(status).toBe(1)
    }
  })

  test('of a document is one for copy, too', () => {
    const words = ['copy', built.reference, `${work}/copy:t`]
    const { status, stderr } = ociUnpack(...words, '--max-json-bytes=100')
    expect([status, stderr]).toEqual([1, expect.stringContaining('[LIMIT_EXCEEDED]')])
    expect(fs.existsSync(`${work}/copy`)).toBe(false)
    ociUnpackOk(...words, '--max-json-bytes=10000')
  })
})

describe.runIf(needs('root', 'python3'))('what does not change the result', () => {
  test.each([
    ['unpack', '--jobs=1'],
    ['unpack', '--decompressor=none'],
    ['raw unpack', '--jobs=3'],
    ['raw unpack', '--decompressor', 'gzip']
  ])('%s %s %s', (command, ...flags) => {
    ociUnpackOk('raw', 'unpack', ...image, `${work}/plain`)
    ociUnpackOk(...command.split(' '), ...image, ...flags, `${work}/out`)
    const rootfs = command === 'unpack' ? `${work}/out/rootfs` : `${work}/out`
    expect(compareTrees(`${work}/plain`, rootfs)).toEqual([])
  })

  test('copy and verify, with any number of jobs and any decompressor', () => {
    for (const flags of [['--jobs=1'], ['--decompressor=none'], ['--jobs=3']]) {
      const archive = `docker-archive:${work}/${flags.join('')}.tar`
      ociUnpackOk('copy', ...flags, built.reference, archive)
      expect(ociUnpackOk('verify', '--layout', archive).stdout).toContain(built.config.digest)
      const { stdout } = ociUnpackOk('verify', ...flags, '--json', ...image)
      expect(JSON.parse(stdout)).toMatchObject({ ok: true, blobs: [{}, {}, {}] })
    }
  })
})

describe.runIf(needs('root'))('how a layer is packed', () => {
  test.each(['insert', 'raw add-layer', 'repack'])('is for %s to be told', (command) => {
    const run = change(command)
    const [low, high] = ['1', '9'].map((level) => {
      run('--compress=gzip', '--compress-level', level)
      return layer()
    })
    expect(low!.size).toBeGreaterThan(high!.size)
    run('--compress=gzip', '--compress-level=9', '--jobs=3', '--time-precision=nanoseconds')
    expect(layer()).toEqual(high)
    run('--compress=none')
    expect(layer().mediaType).toMatch(/\.tar$/)
  })

  test.each(['insert', 'repack'])('%s keeps times as exact as it is told', (command) => {
    const run = change(command)
    const sizes = ['seconds', 'nanoseconds'].map((precision) => {
      run('--compress=none', `--time-precision=${precision}`)
      return layer().size
    })
    expect(sizes[0]).toBeLessThan(sizes[1]!)
  })

  /** Runs a command that adds a layer under the tag `new`. */
  function change(command: string): (...flags: string[]) => void {
    const [words, to] = [command.split(' '), `${built.layout}:new`]
    const text = Array.from({ length: 20_000 }, (_, at) => String(at * at)).join(' ')
    fs.writeFileSync(`${work}/text`, text)
    fs.utimesSync(`${work}/text`, 1.5, 1.5)
    fs.writeFileSync(`${work}/layer.tar`, tar(file('text', text)))
    const add = [...words, ...image, '--tag=new']
    if (command === 'insert')
      return (...flags) => void ociUnpackOk(...add, ...flags, `${work}/text`, '/t')
    if (command !== 'repack')
      return (...flags) => void ociUnpackOk(...add, ...flags, `${work}/layer.tar`)
    ociUnpackOk('unpack', ...image, `${work}/bundle`)
    ok('cp', '-p', `${work}/text`, `${work}/bundle/rootfs/text`)
    return (...flags) => void ociUnpackOk('repack', '--image', to, ...flags, `${work}/bundle`)
  }

  function layer(): { mediaType: string; digest: string; size: number } {
    return documents(built.layout, 'new').manifest.layers.at(-1)!
  }
})

test.runIf(needs('root'))('diff shows what a repack would take, masked as it would be', () => {
  const bundle = `${work}/bundle`
  ociUnpackOk('unpack', ...image, bundle)
  for (const name of ['d/new', 'v/new']) fs.writeFileSync(`${bundle}/rootfs/${name}`, '')
  const paths = (...flags: string[]): string[] => {
    const { stdout } = ociUnpackOk('diff', '--json', '--jobs=1', ...flags, bundle)
    return stdout
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { path: string }).path)
  }
  expect(paths()).toEqual(['d', 'd/new'])
  expect(paths('--mask-path=/d')).toEqual([])
  expect(paths('--no-mask-volumes', '--mask-path', 'd')).toEqual(['v', 'v/new'])
  const coloured = ociUnpackOk('--color=always', 'diff', bundle).stdout
  expect(coloured).toContain('\x1b[')
  expect(ociUnpackOk('diff', '--color=never', bundle).stdout).not.toContain('\x1b[')
})

test.runIf(needs('root'))('--progress tells how far it is, on stderr', () => {
  const { stdout, stderr } = ociUnpackOk('unpack', '--progress=json', ...image, `${work}/bundle`)
  const events = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string })
  expect(events[0]).toMatchObject({ type: 'image', image: built.reference })
  expect(stdout).toBe('')
})

test('mtree-validate compares more where it is told, and says nothing in JSON where all is well', () => {
  fs.mkdirSync(`${work}/tree`, { mode: 0o755 })
  const uid = process.geteuid!()
  const args = ['-f', `${work}/manifest`, '-p', `${work}/tree`, '--json', '--add-keywords=uid']
  fs.writeFileSync(`${work}/manifest`, `. type=dir mode=0755 uid=${uid}\n`)
  expect(ociUnpackOk('raw', 'mtree-validate', ...args).stdout).toBe('')
  fs.writeFileSync(`${work}/manifest`, '. type=dir mode=0755\n')
  const { stdout } = ociUnpack('raw', 'mtree-validate', ...args)
  expect(JSON.parse(stdout)).toEqual({
    kind: 'modified',
    path: '.',
    changes: [{ keyword: 'uid', before: null, after: String(uid) }]
  })
})

describe.runIf(needs('root', 'setfattr'))('hooks', () => {
  test('are called where --hooks says so, each call on a line of --trace, and not with --no-hooks', () => {
    const hooks = ['--hooks', shippedSet('pool', `${work}/hooks`)]
    const trace = (): string[] => {
      const text = fs.readFileSync(`${work}/trace`, 'utf8')
      fs.rmSync(`${work}/trace`)
      return text
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { hook: string }).hook)
    }
    const traced = [...hooks, '--trace', `${work}/trace`]
    const bundle = `${work}/bundle`
    ociUnpackOk('unpack', ...traced, ...image, bundle)
    expect(trace()).toContain('unpack.ociv1.finish')
    fs.writeFileSync(`${bundle}/rootfs/new`, '')
    const to = ['--image', `${built.layout}:new`]
    ociUnpackOk('repack', ...traced, '--verify-delta', ...to, bundle)
    expect(documents(built.layout, 'new').manifest.layers).toHaveLength(2)
    ociUnpackOk('hooks', 'gc', ...traced, '--layout', built.layout)
    expect(trace()).toContain('store.gc')
    ociUnpackOk('bundle', 'delete', ...traced, bundle)
    expect(fs.existsSync(bundle)).toBe(false)
    expect(trace()).toEqual(['bundle.delete'])

    ociUnpackOk('unpack', '--no-hooks', ...image, bundle)
    ociUnpackOk('repack', '--no-hooks', ...to, bundle)
    ociUnpackOk('bundle', 'delete', '--no-hooks', bundle)
    expect(fs.existsSync(`${work}/trace`)).toBe(false)
  })

  test('are tested with an image of the user, with what removes layers, and all is kept on request', () => {
    const hooks = shippedSet('pool', `${work}/hooks`)
    fs.mkdirSync(`${work}/scratch`)
    const flags = ['--gc', '--keep', '--json', '--directory', `${work}/scratch`, ...image]
    const { stdout } = ociUnpackOk('hooks', 'test', '--case=gc', ...flags, hooks)
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, rows: [{ case: 'gc' }] })
    expect(fs.readdirSync(`${work}/scratch`)).not.toEqual([])
  })
})
