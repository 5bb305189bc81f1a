import { chmodSync, writeFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { formatLayer, formatTotal, formatTransfer } from '../../src/cli/progress/format.ts'
import { logEvent } from '../../src/cli/progress/log.ts'
import { errors } from '../../src/cli/streams.ts'
import { TtyDisplay } from '../../src/cli/progress/tty.ts'
import type { EngineEvent, LayerInfo } from '../../src/index.ts'
import { ociUnpack, ociUnpackOk } from '../e2e/cli.ts'
import { optionsFor } from '../engine/support.ts'
import { unpackFlags } from '../support/whoever.ts'
import type { Run } from '../support/run.ts'
import { withTemporary } from '../support/temporary.ts'
import { file, symlink, tar } from '../support/tar-builder.ts'

const IMAGE = [tar(file('a', 'one')), tar(file('b', 'two'))]

describe('--progress=json', () => {
  test('is one object a line on stderr: the events of the library', () => {
    const { stdout, stderr } = unpackWith(IMAGE, '--progress=json')
    const events = stderr.trimEnd().split('\n').map(parseEvent)
    expect(stdout).toBe('')
    expect(events[0]).toMatchObject({ type: 'image', layers: [{}, {}] })
    expect(events.filter(({ type }) => type === 'layer')).toHaveLength(2)
    expect(events.at(-1)).toEqual({ type: 'phase', phase: 'publish' })
  })

  test('carries warnings as events, in the middle of nothing else', () => {
    const link = symlink('l', 'x', { pax: { 'SCHILY.xattr.user.u': 'v' } })
    const { stderr } = unpackWith([tar(link)], '--progress=json', '--log=debug')
    const events = stderr.trimEnd().split('\n').map(parseEvent)
    expect(events.find(({ type }) => type === 'warning')).toMatchObject({
      facts: { entry: 'l', found: 'user.u' }
    })
  })
})

describe('with --progress=json an error is a line, too', () => {
  const missing = ['unpack', '--image', '/nowhere:x', '/nowhere/bundle']

  test.each<[string, string[], object]>([
    ['of a command', ['--progress=json', ...missing], { code: 'LAYOUT_INVALID' }],
    ['with its hint', [...missing, '--progress', 'json'], { hint: expect.any(String) as unknown }],
    ['of the command line', ['--progress=json', 'unpack', '--wrong'], { code: 'USAGE' }],
    ['of the command line, in two words', ['nothing', '--progress', 'json'], { code: 'USAGE' }]
  ])('%s', (_what, args, expected) => {
    const { status, stderr } = ociUnpack(...args)
    expect(status).toBeGreaterThan(0)
    expect(stderr.trimEnd().split('\n').map(parseEvent)).toEqual([
      expect.objectContaining({ type: 'error', facts: expect.any(Object) as unknown, ...expected })
    ])
  })

  test('and so is a line of the log', () => {
    const { stderr } = withTemporary((work) => {
      writeFileSync(`${work}/manifest`, '. type=dir sha1=x\n')
      const args = ['-f', `${work}/manifest`, '-p', work, '-k', 'type,sha1']
      return ociUnpack('--progress=json', 'raw', 'mtree-validate', ...args)
    })
    for (const line of stderr.trimEnd().split('\n').filter(Boolean))
      expect(parseEvent(line)).toHaveProperty('type')
  })
})

describe('a hook at work', () => {
  const hooks = 'version = 1\nname = "slow"\n[unpack.ociv1.layer.try-skip]\ncommand = ["false"]\n'

  test('is an event when it begins and ends, in all forms', () =>
    withTemporary((work) => {
      chmodSync(work, 0o700)
      writeFileSync(`${work}/hooks.toml`, hooks, { mode: 0o600 })
      // several layers would be asked at the same time, and the first failure ends the others
      const { image, destination } = optionsFor(work, IMAGE.slice(0, 1))
      const run = (mode: string): Run =>
        ociUnpack('unpack', mode, '--hooks', `${work}/hooks.toml`, '--image', image, destination)
      const events = run('--progress=json').stderr.trimEnd().split('\n').map(parseEvent)
      const call = { type: 'hook', hooks: 'slow', hook: 'unpack.ociv1.layer.try-skip', layer: 0 }
      expect(events).toContainEqual({ ...call, state: 'begun' })
      expect(events).toContainEqual({ ...call, state: 'ended' })
      expect(events.at(-1)).toMatchObject({ type: 'error', code: 'HOOK_FAILED' })
      expect(run('--progress=plain').stderr).toContain(
        'hook unpack.ociv1.layer.try-skip for layer 1 (slow)\n'
      )
    }))

  test('is on a terminal until it has answered, and comes back below a line of the log', () => {
    const written: string[] = []
    const write = vi.spyOn(errors, 'write').mockImplementation((text) => {
      written.push(String(text))
    })
    const call = { type: 'hook', hooks: 'slow', hook: 'bundle.delete' } as const
    try {
      const display = new TtyDisplay()
      display.onEvent({ ...call, state: 'begun' })
      display.onEvent({ type: 'hook-log', hooks: 'slow', hook: 'bundle.delete', text: 'x' })
      display.resume()
      display.onEvent({ ...call, state: 'ended' })
      display.end()
    } finally {
      write.mockRestore()
    }
    const shown = 'hook bundle.delete (slow)\n'
    expect(written).toEqual([shown, ERASED, shown, ERASED])
  })
})

const ERASED = '\x1b[1A\x1b[J'

test('--progress=plain is a line when something is done', () => {
  const lines = unpackWith(IMAGE, '--progress=plain').stderr.trimEnd().split('\n')
  expect(lines[0]).toMatch(/^unpacking .*:latest \(sha256:[0-9a-f]{64}\)$/)
  expect(lines.filter((line) => /^layer [12] .* 1 entries {2}verified$/.test(line))).toHaveLength(2)
  expect(lines.slice(-3)).toEqual([
    'joining the layers',
    'writing the tree manifest',
    'making the bundle visible'
  ])
  expect(lines.at(-4)).toMatch(/^total .* 2 entries .* unpacked$/)
})

test.each(['--progress=none', '--progress=auto'])('%s is silent without a terminal', (flag) => {
  expect(unpackWith(IMAGE, flag).stderr).toBe('')
})

test('--verbose tells what happens', () => {
  const { stderr } = unpackWith(IMAGE, '--verbose')
  expect(stderr).toMatch(/^info: .* is sha256:[0-9a-f]{64}, 2 layers$/m)
  expect(stderr).toContain('info: layer 1 is verified\n')
})

describe('a line', () => {
  const info: LayerInfo = {
    digest: `sha256:${'0123456789ab'.padEnd(64, 'f')}`,
    diffId: '',
    mediaType: '',
    size: 10_240_000
  }
  const stages = { read: 0, parse: 0, hash: 0, wait: 0 }
  const counters = { read: 999, unpacked: 2_000_000, entries: 12_345, stages }

  test('of a layer has its digest, bytes and entries', () => {
    expect(formatLayer(0, info, counters).split(/ {2,}/)).toEqual([
      'layer 1',
      '0123456789ab',
      '999 B of 10.24 MB',
      '12,345 entries'
    ])
  })

  test('of the total has sums', () => {
    expect(formatTotal([info, info], [counters, counters]).split(/ {2,}/)).toEqual([
      'total',
      '1.998 kB of 20.48 MB',
      '24,690 entries',
      '4.000 MB unpacked'
    ])
  })

  test('has its columns where the others have theirs', () => {
    const layer = formatLayer(0, info, counters)
    const total = formatTotal([info], [counters])
    expect(total.indexOf('entries')).toBe(layer.indexOf('entries'))
  })
})

test('a line of a transfer has bytes and their rate', () => {
  const event = { type: 'transfer', bytes: 2_500_000, total: 10_000_000, bytesPerSecond: 1_250_000 }
  expect(formatTransfer(event as Parameters<typeof formatTransfer>[0])).toBe(
    '2.500 MB of 10.00 MB transferred, 1.250 MB/s'
  )
})

test('a request that is sent again is a warning in the log', () => {
  const lines: string[][] = []
  const logger = { level: 'warn', write: (...line: string[]) => lines.push(line) } as const
  const retry = { type: 'retry', host: 'a.example', what: 'GET tags/list' } as const
  logEvent({ ...retry, reason: 'HTTP 503', delayMs: 1250 }, logger)
  expect(lines).toEqual([['warn', 'a.example: GET tags/list: HTTP 503; trying again in 1.3 s']])
})

function unpackWith(layers: Buffer[], ...flags: string[]): Run {
  return withTemporary((work) => {
    const { image, destination } = optionsFor(work, layers)
    return ociUnpackOk('unpack', ...flags, ...unpackFlags, '--image', image, destination)
  })
}

function parseEvent(line: string): EngineEvent {
  return JSON.parse(line) as EngineEvent
}
