/** Each failure says what to do, and leaves layout and bundle as they were. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../support/requires.ts'
import { ok, run, type Run } from '../support/run.ts'
import { ociUnpack, ociUnpackCommand } from './cli.ts'
import {
  changesBy,
  changesSince,
  makeBox,
  removeBox,
  runWith,
  type RepackBox
} from './repack-box.ts'

describe.runIf(needs('root', 'python3'))('repack', () => {
  let it: RepackBox
  beforeEach(() => {
    it = makeBox()
    fs.appendFileSync(`${it.rootfs}/d/f`, 'more')
  })
  afterEach(() => removeBox(it))

  const mtree = (): string => `${it.bundle}/sha256_${it.manifest}.mtree`
  const prints = (): string => `${it.bundle}/sha256_${it.manifest}.fingerprints`
  const metadata = (): string => `${it.bundle}/umoci.json`
  const repack = (...options: string[]): Run =>
    ociUnpack('repack', '--image', `${it.layout}:new`, ...options, it.bundle)

  /** Runs what must fail without a trace; gives what it said. */
  function refused(code: string, act: () => Run): string {
    const { result, changes } = changesBy(it, act)
    expect(result.stderr).toMatch(new RegExp(`\\[${code}\\]|"code":"${code}"`))
    expect(result.stderr).not.toContain('internal')
    expect(result.status).toBe(1)
    expect(changes).toEqual([])
    return result.stderr
  }

  describe('of a damaged bundle', () => {
    test.each<[string, string, () => void]>([
      ['no umoci.json', 'BUNDLE_INVALID', () => fs.rmSync(metadata())],
      ['half of umoci.json', 'BUNDLE_INVALID', () => fs.truncateSync(metadata(), 50)],
      ['an empty umoci.json', 'BUNDLE_INVALID', () => fs.truncateSync(metadata())],
      ['a FIFO as umoci.json', 'BUNDLE_INVALID', () => makeFifo(metadata())],
      ['an unknown version', 'BUNDLE_INVALID', () => edit(metadata(), '"2"', '"3"')],
      ['no manifest', 'BUNDLE_INVALID', () => fs.rmSync(mtree())],
      ['a FIFO as manifest', 'BUNDLE_INVALID', () => makeFifo(mtree())],
      ['garbage as manifest', 'MTREE_INVALID', () => fs.writeFileSync(mtree(), randomBytes(999))],
      ['an empty manifest', 'MTREE_INVALID', () => fs.truncateSync(mtree())],
      ['half a line in the manifest', 'MTREE_INVALID', () => cutInLine(mtree())],
      ['half the lines of the manifest', 'MTREE_INVALID', () => cutAtLine(mtree(), 0.5)],
      ['all lines but the last', 'MTREE_INVALID', () => cutAtLine(mtree(), 0.999)],
      ['no rootfs', 'BUNDLE_INVALID', () => fs.rmSync(it.rootfs, { recursive: true })],
      [
        'a file as rootfs',
        'BUNDLE_INVALID',
        () => ok('sh', '-c', `rm -r ${it.rootfs}; echo >${it.rootfs}`)
      ],
      [
        'a link as rootfs',
        'BUNDLE_INVALID',
        () => ok('sh', '-c', `mv ${it.rootfs} ${it.bundle}/r; ln -s r ${it.rootfs}`)
      ]
    ])('is refused: %s', (_name, code, damage) => {
      damage()
      expect(refused(code, () => repack('--refresh-bundle'))).toMatch(/nothing|unpack|[Rr]estore/)
      refused(code, () => ociUnpack('diff', it.bundle))
    })

    test('is refused where it is none', () => {
      refused('BUNDLE_INVALID', () => ociUnpack('repack', '--image', `${it.layout}:new`, it.layout))
      refused('BUNDLE_INVALID', () =>
        ociUnpack('repack', '--image', `${it.layout}:new`, `${it.box}/x`)
      )
    })

    test.each<[string, () => void]>([
      ['none', () => fs.rmSync(prints())],
      ['empty', () => fs.truncateSync(prints())],
      ['garbage', () => fs.writeFileSync(prints(), randomBytes(512))],
      ['cut', () => fs.truncateSync(prints(), fs.statSync(prints()).size - 1)],
      ['of another manifest', () => flip(prints(), 50)],
      ['a FIFO', () => makeFifo(prints())]
    ])('finds the same without its fingerprints: %s', (_name, damage) => {
      expect(repack().status).toBe(0)
      const expected = topLayer('new')
      damage()
      expect(ociUnpack('repack', '--image', `${it.layout}:slow`, it.bundle).status).toBe(0)
      expect(topLayer('slow')).toBe(expected)
    })
  })

  describe('to a layout that it cannot use', () => {
    test('is refused: the base image is gone', () => {
      fs.rmSync(`${it.layout}/blobs/sha256/${it.manifest}`)
      const said = refused('BLOB_NOT_FOUND', () => repack())
      expect(said).toContain(it.manifest)
      expect(said).toContain('Put the image back where the bundle came from')
    })

    test('is refused: the base image is damaged', () => {
      flip(`${it.layout}/blobs/sha256/${it.manifest}`, 9)
      refused('BLOB_DIGEST_MISMATCH', () => repack())
    })

    test.each([
      ['nothing there', 'nowhere:new', 'LAYOUT_INVALID'],
      ['no layout', 'bundle:new', 'LAYOUT_INVALID'],
      ['no tag', 'layout:', 'REFERENCE_INVALID'],
      ['a bad tag', 'layout:a..b', 'REFERENCE_INVALID']
    ])('is refused: %s', (_name, reference, code) => {
      refused(code, () => ociUnpack('repack', '--image', `${it.box}/${reference}`, it.bundle))
    })

    test.runIf(needs('unshare'))('is refused: it is read-only', () => {
      const script = 'mount --bind -o ro "$0" "$0"; exec "$@"'
      const said = refused('SYSCALL_FAILED', () => inNamespace(script, '--refresh-bundle'))
      expect(said).toContain('EROFS')
    })

    test.runIf(needs('unshare'))('is refused: it is full', () => {
      fs.writeFileSync(`${it.rootfs}/big`, randomBytes(8 << 20))
      const script = `
        mount -t tmpfs -o size=2m tmpfs "$0/../full"; cp -a "$0/." "$0/../full"
        s=0; "$@" || s=$?; ls -A "$0/../full" >&2; ls "$0/../full/blobs/sha256" | wc -l >&2; exit $s`
      fs.mkdirSync(`${it.box}/full`)
      const said = refused('SYSCALL_FAILED', () =>
        run(
          'unshare',
          '--mount',
          'sh',
          '-euc',
          script,
          it.layout,
          ...ociUnpackCommand,
          'repack',
          '--refresh-bundle',
          '--image',
          `${it.box}/full:new`,
          it.bundle
        )
      )
      expect(said).toContain('ENOSPC')
      expect(said).toMatch(/blobs\nindex.json\noci-layout\n3\n$/)
    })

    function inNamespace(script: string, ...options: string[]): Run {
      const command = [...ociUnpackCommand, 'repack', '--image', `${it.layout}:new`, ...options]
      return run('unshare', '--mount', 'sh', '-euc', script, it.layout, ...command, it.bundle)
    }
  })

  describe('of files that no layer can hold', () => {
    test.each(['d/.wh.f', '.wh.', 'd/.wh..wh..opq'])('is refused: the name %s', (name) => {
      fs.writeFileSync(`${it.rootfs}/${name}`, '')
      expect(refused('ENTRY_INVALID', () => repack())).toContain(name)
      expect(repack('--mask-path', `/${name}`).status).toBe(0)
    })

    test('is refused: a file that somebody writes to all the time', async () => {
      fs.writeFileSync(`${it.rootfs}/log`, Buffer.alloc(64 << 20))
      const writer = spawn('sh', ['-c', `while :; do echo line >>'${it.rootfs}/log'; done`])
      try {
        while (fs.statSync(`${it.rootfs}/log`).size === 64 << 20) await setTimeout(5)
        const { status, stderr } = repack('--refresh-bundle')
        expect(stderr).toContain('[FILE_CHANGED]')
        expect(stderr).toContain('log')
        expect(status).toBe(1)
        expect(fs.readdirSync(it.layout)).toEqual(['blobs', 'index.json', 'oci-layout'])
        expect(fs.readdirSync(`${it.layout}/blobs/sha256`)).toHaveLength(3)
      } finally {
        writer.kill()
      }
    })

    test.runIf(needs('setpriv'))('is refused: a file that the user may not read', () => {
      fs.writeFileSync(`${it.rootfs}/secret`, 'secret')
      // what belongs to another user is not opened up
      ok('chown', '1:1', `${it.rootfs}/secret`)
      ok('chmod', '000', `${it.rootfs}/secret`)
      // root without the right to read everything: another user may not reach the program where it was built
      const dropped = '-dac_override,-dac_read_search'
      const user = ['setpriv', `--bounding-set=${dropped}`, `--inh-caps=${dropped}`]
      const command = [...ociUnpackCommand, 'repack', '--image', `${it.layout}:new`, it.bundle]
      const said = refused('SYSCALL_FAILED', () => run(user[0]!, ...user.slice(1), ...command))
      expect(said).toMatch(/EACCES[^]*secret|secret[^]*EACCES/)
    })
  })

  describe('with options that make no sense', () => {
    test.each<[string[], string]>([
      [['--no-history', '--history.author=A'], 'cannot be used with'],
      [['--no-history', '--history.created=2020-01-01T00:00:00Z'], 'cannot be used with'],
      [['--history.created=yesterday'], 'RFC 3339'],
      [['--history.created=2020-13-01T00:00:00Z'], 'RFC 3339'],
      [['--compress-level=10'], 'level'],
      [['--compress=zstd', '--compress-level=0'], 'level'],
      [['--compress=xz'], 'xz'],
      [['--jobs=many'], 'jobs'],
      [['--time-precision=days'], 'days']
    ])('is refused: %j', (options, says) => {
      expect(refused('USAGE', () => repack(...options))).toContain(says)
    })

    test.each(['now', '1.5', '0x10', '99999999999999999999', '1 2'])(
      'is refused: SOURCE_DATE_EPOCH=%s',
      (value) => {
        const args = ['repack', '--image', `${it.layout}:new`, it.bundle]
        refused('USAGE', () => runWith([`SOURCE_DATE_EPOCH=${value}`], ...args))
      }
    )

    test.runIf(Number(process.versions.node.split('.')[0]) < 22)(
      'is refused before any work: zstd where nothing can write it',
      () => {
        fs.writeFileSync(`${it.rootfs}/d/.wh.x`, 'would be refused later')
        const args = ['--progress=json', 'repack', '--compress=zstd', '--image', `${it.layout}:new`]
        const said = refused('COMPRESSOR_UNAVAILABLE', () =>
          runWith(['PATH=/nowhere'], ...args, it.bundle)
        )
        expect(said).not.toContain('"phase"')
      }
    )
  })

  describe('that is interrupted', () => {
    test.each(['gzip', 'none'])('ends with 130 and leaves nothing (%s)', async (compress) => {
      fs.writeFileSync(`${it.rootfs}/big`, randomBytes(300 << 20))
      ok('cp', '-a', it.box, `${it.work}/before`)
      const options = ['--compress', compress, '--refresh-bundle', '--image', `${it.layout}:new`]
      const child = spawn(ociUnpackCommand[0], [
        ociUnpackCommand[1],
        'repack',
        ...options,
        it.bundle
      ])
      const status = new Promise((done) => child.on('exit', done))
      while (!fs.readdirSync(it.layout).some((name) => name.startsWith('.umoci-')))
        await setTimeout(2)
      child.kill('SIGINT')
      expect(await status).toBe(130)
      expect(changesSince(it.work, it.box)).toEqual([])
    })

    test('leaves a bundle that repacks, wherever it is killed', async () => {
      for (let i = 0; i < 60; i++) fs.writeFileSync(`${it.rootfs}/e/${i}`, randomBytes(20_000))
      const started = Date.now()
      const command = [
        ociUnpackCommand[1],
        'repack',
        '--refresh-bundle',
        '--image',
        `${it.layout}:new`
      ]
      ok(ociUnpackCommand[0], ...command, it.bundle)
      const duration = Date.now() - started
      for (let round = 0; round < 10; round++) {
        fs.writeFileSync(`${it.rootfs}/round`, `${round}`)
        const child = spawn(ociUnpackCommand[0], [...command, it.bundle])
        const ended = new Promise((done) => child.on('exit', done))
        await setTimeout(duration * (0.5 + round / 18))
        child.kill('SIGKILL')
        await ended
        expect(ociUnpack('diff', it.bundle)).toMatchObject({ status: 0, stderr: '' })
      }
      ok(ociUnpackCommand[0], ...command, it.bundle)
      expect(ociUnpack('diff', it.bundle).stdout).toBe('')
      ok(
        ociUnpackCommand[0],
        ociUnpackCommand[1],
        'unpack',
        '--image',
        `${it.layout}:new`,
        `${it.work}/out`
      )
      expect(fs.readFileSync(`${it.work}/out/rootfs/round`, 'utf8')).toBe('9')
    })
  })

  function topLayer(tag: string): string {
    const stat = JSON.parse(ok('skopeo', 'inspect', `oci:${it.layout}:${tag}`).stdout) as {
      Layers: string[]
    }
    return stat.Layers.at(-1)!
  }
})

function makeFifo(path: string): void {
  fs.rmSync(path)
  ok('mkfifo', path)
}

function edit(path: string, from: string, to: string): void {
  fs.writeFileSync(path, fs.readFileSync(path, 'utf8').replace(from, to))
}

function flip(path: string, at: number): void {
  const bytes = fs.readFileSync(path)
  bytes[at]! ^= 0x20
  fs.writeFileSync(path, bytes)
}

function cutInLine(path: string): void {
  const text = fs.readFileSync(path, 'latin1')
  fs.truncateSync(path, text.indexOf('sha256digest') + 20)
}

function cutAtLine(path: string, part: number): void {
  const lines = fs.readFileSync(path, 'latin1').trimEnd().split('\n')
  fs.writeFileSync(path, lines.slice(0, Math.floor(lines.length * part)).join('\n') + '\n')
}
