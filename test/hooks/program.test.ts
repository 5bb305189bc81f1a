/** What a program gets and how its output is read. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { HookPoint } from '../../src/hooks/points.ts'
import type { HookSet } from '../../src/hooks/calls.ts'
import type { RuntimeConfigContext } from '../../src/hooks/contexts.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { deltaListContext, imageContext, layerContext, prepareContext } from './contexts.ts'
import { failureOf, hooksToml, load, membersOf } from './support.ts'

let directory: string

beforeEach(() => {
  directory = makeTemporary()
})

afterEach(() => removeTemporary(directory))

/** A set whose hooks are one line of shell. */
function shell(
  script: string,
  points: readonly HookPoint[],
  extract = 'rootfs',
  lines = ''
): HookSet {
  return load(directory, hooksToml(['/bin/sh', '-c', script], lines, points, extract))
}

const LAYER_POINTS = ['try-skip', 'pre-extract', 'post-extract', 'finish', 'delta-list'] as const

describe('a program', () => {
  test.each([
    [
      'that fails without a word',
      'exit 3',
      {},
      'it reported a failure, and wrote nothing to standard error'
    ],
    [
      'that fails with a word',
      'echo no disk >&2; exit 3',
      { stderr: 'no disk' },
      'it reported a failure'
    ],
    [
      'that is busy too long',
      'echo in use >&2; exit 75',
      { stderr: 'in use' },
      'it was busy the whole time'
    ]
  ])('%s is an error that says so', async (_what, script, facts, reason) => {
    const set = shell(script, ['delete'], 'rootfs', 'timeout = "1400ms"')
    const error = await failureOf(set.call('delete', imageContext('x')))
    expect(error.facts).toMatchObject({ ...facts, reason })
    if (reason.includes('busy')) expect(error.hint).toContain('The bundle is in use: end what uses')
  })

  test('that was busy, and then hangs, is still said to be busy', async () => {
    const script = 'echo in use >&2; test ! -e asked || exec sleep 60; touch asked; exit 75'
    const set = shell(script, ['delete'], 'rootfs', 'timeout = "1000ms"')
    const error = await failureOf(set.call('delete', imageContext('x')))
    expect(error.code).toBe('HOOK_TIMEOUT')
    expect(error.facts).toMatchObject({ stderr: 'in use' })
    expect(error.facts.reason).toContain('it was busy, and did not answer')
  })

  test('gets one JSON object on standard input, big numbers exact', async () => {
    const set = shell('cat > stdin', ['runtime-config'])
    const context: RuntimeConfigContext = {
      ...imageContext('x'),
      runtimeConfig: { hard: 18446744073709551615n }
    }
    await set.call('runtime-config', context)
    const text = readFileSync(join(directory, 'stdin'), 'utf8')
    expect(text).toContain('"runtimeConfig":{"hard":18446744073709551615}')
    expect(JSON.parse(text)).toMatchObject({
      protocol: 1,
      hook: 'bundle.runtime-config',
      config: { architecture: 'amd64' },
      manifest: { schemaVersion: 2 }
    })
  })

  test('may answer with a config of big numbers', async () => {
    const set = shell('echo \'{"config": {"hard": 18446744073709551615}}\'', ['runtime-config'])
    const outcome = await set.call('runtime-config', { ...imageContext('x'), runtimeConfig: {} })
    expect(outcome).toEqual({
      status: 'yes',
      answer: { config: { hard: 18446744073709551615n } }
    })
  })

  test('runs in the directory of its file, however large the input that it does not read', async () => {
    const set = shell('pwd > where', ['runtime-config'])
    const runtimeConfig = { text: 'x'.repeat(3_000_000) }
    const outcome = await set.call('runtime-config', { ...imageContext('x'), runtimeConfig })
    expect(outcome).toEqual({ status: 'yes', answer: {} })
    expect(readFileSync(join(directory, 'where'), 'utf8').trim()).toBe(directory)
  })

  test('may leave a process behind that does not hold its output', async () => {
    const script = 'sleep 1000 > /dev/null & echo $! > child; ps -o pgid= -p $$ > group'
    const set = shell(script, ['gc'])
    expect(await set.call('gc', { liveKeys: [] })).toMatchObject({ status: 'yes' })
    const group = Number(readFileSync(join(directory, 'group'), 'utf8'))
    const child = Number(readFileSync(join(directory, 'child'), 'utf8'))
    try {
      expect(membersOf(group)).toEqual([String(child)])
    } finally {
      process.kill(child, 'SIGKILL')
    }
  })

  test('that fails leaves nothing behind', async () => {
    const set = shell('sleep 1000 > /dev/null & echo $$ > group; exit 1', ['gc'])
    expect(await failureOf(set.call('gc', { liveKeys: [] }))).toMatchObject({
      code: 'HOOK_FAILED',
      facts: { status: 'exit status 1' }
    })
    expect(membersOf(Number(readFileSync(join(directory, 'group'), 'utf8')))).toEqual([])
  })

  test('that was removed since is a failure that says so', async () => {
    const program = join(directory, 'gone')
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 })
    const set = load(directory, hooksToml(['./gone'], '', ['gc'], 'rootfs'))
    removeTemporary(program)
    const error = await failureOf(set.call('gc', { liveKeys: [] }))
    expect(error.code).toBe('HOOK_FAILED')
    expect(error.facts.reason).toContain('ENOENT')
  })

  test('whose facts do not fit into an environment fails with a way out', async () => {
    const set = shell('true', ['gc'])
    const liveKeys = Array.from({ length: 3000 }, () => layerContext('x').chainId)
    const error = await failureOf(set.call('gc', { liveKeys }))
    expect(error.code).toBe('HOOK_FAILED')
    expect(error.hint).toContain('session')
  })

  test('at a point without a command declines', async () => {
    const set = shell('true', ['gc'])
    expect(await set.call('delete', imageContext('x'))).toEqual({ status: 'decline' })
  })

  test('can answer for layers in prepare', async () => {
    const context = prepareContext('x')
    const key = context.layers[0]!.chainId
    const points = [...LAYER_POINTS, 'prepare'] as const
    const answer = (layers: string) => {
      const set = shell(`echo '{"layers": {"${key}": ${layers}}}'`, points, 'layer')
      return set.call('prepare', context)
    }
    expect(await answer('{"target": "/srv/x"}')).toEqual({
      status: 'yes',
      answer: { layers: new Map([[key, { status: 'skip', target: '/srv/x' }]]) }
    })
    expect(await answer('"decline"')).toMatchObject({
      answer: { layers: new Map([[key, { status: 'decline' }]]) }
    })
    expect(await failureOf(answer('"skip"'))).toMatchObject({ code: 'HOOK_ANSWER_INVALID' })
    expect(await failureOf(answer('"maybe"'))).toMatchObject({ code: 'HOOK_ANSWER_INVALID' })
  })

  test('cannot answer for layers that the image does not have', async () => {
    const set = shell('echo \'{"layers": {"sha256:00": "skip"}}\'', ['prepare'])
    const error = await failureOf(set.call('prepare', prepareContext('x')))
    expect(error).toMatchObject({ code: 'HOOK_ANSWER_INVALID', facts: { found: 'sha256:00' } })
  })

  test('has no say in where a layer goes where the engine extracts', async () => {
    const set = shell('echo /srv/x', ['pre-extract'])
    const error = await failureOf(set.call('pre-extract', layerContext('x')))
    expect(error.facts.reason).toContain('rootfs')
  })
})

describe('a delta-list', () => {
  async function pathsOf(output: Buffer): Promise<unknown> {
    writeFileSync(join(directory, 'list'), output)
    const outcome = await shell('cat list', ['delta-list']).call(
      'delta-list',
      deltaListContext('x')
    )
    return outcome.status === 'yes' ? outcome.answer.paths : outcome
  }

  const paths = (entries: string[], trees: string[] = []) =>
    expect.objectContaining({ entries: new Set(entries), trees: new Set(trees) }) as unknown

  test.each([
    ['nothing', '', paths([])],
    ['the root', '.\0', paths(['.'])],
    ['bytes that are no text', 'a\xff\nb\0c\0c\0', paths(['a\xff\nb', 'c'])],
    ['whole trees', 'usr/\0usr\0./\0', paths(['usr'], ['usr', '.'])],
    ['lines of JSON', '"a\\nb"\n"usr/"\n', paths(['a\nb'], ['usr'])],
    ['lines of JSON without a last newline', '"a"\n"b"', paths(['a', 'b'])]
  ])('may hold %s', async (_what, output, expected) => {
    expect(await pathsOf(Buffer.from(output, 'latin1'))).toEqual(expected)
  })

  test.each([
    ['/etc/passwd\0', 'not a path in the root'],
    ['../x\0', 'not a path in the root'],
    ['a/./b\0', 'not a path in the root'],
    ['a//\0', 'not a path in the root'],
    ['\0', 'not a path in the root'],
    ['a\nb\nc\n', 'does not end with a NUL'],
    ['a\0b', 'does not end with a NUL'],
    ['"a"\nb\n', 'not JSON'],
    ['"a\\u0000b"\n', 'not a path in the root'],
    ['"a"\n7\n', 'not a JSON string']
  ])('may not hold %j', async (output, reason) => {
    const error = await failureOf(pathsOf(Buffer.from(output)))
    expect(error.code).toBe('HOOK_ANSWER_INVALID')
    expect(error.facts.reason).toContain(reason)
  })

  test('may be longer than other answers', async () => {
    const all = Array.from({ length: 100_000 }, (_, index) => `usr/share/file-${index}`)
    expect(await pathsOf(Buffer.from(`${all.join('\0')}\0`))).toEqual(paths(all))
  })

  test('is worth nothing when the program fails, and what it printed is no second error', async () => {
    const set = shell('echo usage: nonsense; exit 2', ['delta-list'])
    expect(await failureOf(set.call('delta-list', deltaListContext('x')))).toMatchObject({
      code: 'HOOK_FAILED',
      facts: { status: 'exit status 2' }
    })
  })
})

test('whatever an image says reaches the program as data', async () => {
  mkdirSync(join(directory, 'out'))
  const script =
    'printf %s "$OCI_UNPACK_LAYER_MEDIATYPE" > out/type; cat > out/stdin; echo "$#" > out/count'
  const set = shell(script, ['try-skip'], 'rootfs')
  const unit = fc.nat({ max: 255 }).map((code) => String.fromCharCode(code))
  const hostile = fc.constantFrom('$(touch out/pwned)', '`id`', "'; id; '", '\n', '"', '-rf', 'ä😀')
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.string({ unit }), hostile)).map((parts) => parts.join('')),
      async (mediaType) => {
        const call = set.call('try-skip', { ...layerContext('x'), mediaType })
        if (mediaType.includes('\0')) {
          expect((await failureOf(call)).facts.reason).toContain('NUL')
          return
        }
        await call
        const read = (name: string) => readFileSync(join(directory, 'out', name), 'utf8')
        expect(read('type')).toBe(mediaType)
        expect(JSON.parse(read('stdin'))).toMatchObject({ mediaType })
        expect(read('count')).toBe('0\n')
        expect(() => read('pwned')).toThrow('ENOENT')
      }
    ),
    { numRuns: 60 }
  )
})
