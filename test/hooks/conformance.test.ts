/** One contract, whatever a hook is made of. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { HookOutcome, HookSet } from '../../src/hooks/calls.ts'
import type { LayerContext } from '../../src/hooks/contexts.ts'
import { functionHooks } from '../../src/hooks/function-hooks.ts'
import type { HookLogLine } from '../../src/hooks/load.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { layerContext } from './contexts.ts'
import { failureOf, hooksToml, load, membersOf, program } from './support.ts'

type Make = (timeout: number, directory: string, log: HookLogLine[]) => HookSet

const programs: readonly [string, Make][] = [
  ['a program', fromToml('hook.sh', 'exec')],
  ['a session in sh', fromToml('session.sh', 'session')],
  ['a session in node', fromToml('session.mjs', 'session')]
]
const kinds: readonly [string, Make][] = [...programs, ['a function', fromFunctions]]

function fromToml(name: string, mode: string): Make {
  return (timeout, directory, log) => {
    const lines = `mode = "${mode}"\ntimeout = "${timeout}ms"`
    return load(directory, hooksToml([program(name)], lines), (line) => log.push(line))
  }
}

/** A set with a directory of its own. */
interface Box {
  readonly set: HookSet
  readonly directory: string
  readonly log: readonly HookLogLine[]
  ask(reference: string, signal?: AbortSignal): Promise<HookOutcome<'pre-extract'>>
  /** Of the process that said it would hang; 0 before it did. */
  pid(): number
}

async function inBox(
  make: Make,
  timeout: number,
  work: (box: Box) => Promise<void>
): Promise<void> {
  const directory = makeTemporary()
  const log: HookLogLine[] = []
  const set = make(timeout, directory, log)
  try {
    await work({
      set,
      directory,
      log,
      ask: (reference, signal) =>
        set.call('pre-extract', layerContext(reference, directory), signal),
      pid() {
        const file = join(directory, 'pid')
        return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
      }
    })
  } finally {
    await set.close()
    removeTemporary(directory)
  }
}

const GOOD = { target: '/srv/layer' }

describe.concurrent.each(kinds)('%s', (_name, make) => {
  test.each(['yes', 'json'])('answers: %s', (reference) =>
    inBox(make, 10_000, async (box) => {
      expect(await box.ask(reference)).toEqual({ status: 'yes', answer: GOOD })
    })
  )

  test('declines where somebody else can do it', () =>
    inBox(make, 10_000, async (box) => {
      const context = layerContext('decline', box.directory)
      expect(await box.set.call('try-skip', context)).toEqual({ status: 'decline' })
    }))

  test('may not decline where nobody else can do it', () =>
    inBox(make, 10_000, async (box) => {
      expect(await failureOf(box.ask('decline'))).toMatchObject({ code: 'HOOK_ANSWER_INVALID' })
    }))

  test('is asked again while it is busy, and less and less often', () =>
    inBox(make, 10_000, async (box) => {
      const start = performance.now()
      expect(await box.ask('busy-twice')).toEqual({ status: 'yes', answer: GOOD })
      expect(performance.now() - start).toBeGreaterThan(100 + 200 - 5)
    }))

  test('is busy at most as long as its time-out', () =>
    // asked at 0, 0.1, 0.3 and 0.7 s: half of the time is left for programs to start
    inBox(make, 1_400, async (box) => {
      const start = performance.now()
      const error = await failureOf(box.ask('always-busy'))
      expect(error.code).toBe('HOOK_TIMEOUT')
      expect(error.facts.reason).toContain('busy')
      expect(performance.now() - start).toBeLessThan(4_000)
    }))

  test('fails, and the error says which and why', () =>
    inBox(make, 10_000, async (box) => {
      expect(await failureOf(box.ask('fail'))).toMatchObject({
        code: 'HOOK_FAILED',
        facts: {
          hooks: 'under test',
          hook: 'unpack.ociv1.layer.pre-extract',
          layer: `1 (sha256:${'c'.repeat(64)})`
        }
      })
    }))

  test('that hangs is given up, and can be asked again', () =>
    inBox(make, 700, async (box) => {
      const error = await failureOf(box.ask('hang'))
      expect(error).toMatchObject({ code: 'HOOK_TIMEOUT' })
      expect(error.hint).toContain('timeout')
      expect(await box.ask('yes')).toEqual({ status: 'yes', answer: GOOD })
    }))

  test('that hangs can be aborted, with the reason as the cause', () =>
    inBox(make, 60_000, async (box) => {
      const controller = new AbortController()
      const asked = failureOf(box.ask('hang', controller.signal))
      await setTimeout(300)
      controller.abort(new Error('enough'))
      const error = await asked
      expect(error).toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } })
    }))

  test('is not asked when it is too late', () =>
    inBox(make, 60_000, async (box) => {
      const error = await failureOf(box.ask('busy-twice', AbortSignal.abort()))
      expect(error.code).toBe('ABORTED')
      expect(existsSync(join(box.directory, 'turns'))).toBe(false)
    }))

  test.each([
    ['unknown', 'has no field "colour"'],
    ['relative', 'not an absolute path'],
    ['newline', 'not an absolute path'],
    ['nothing', 'does not name a target']
  ])('cannot answer: %s', (reference, reason) =>
    inBox(make, 10_000, async (box) => {
      const error = await failureOf(box.ask(reference))
      expect(error.code).toBe('HOOK_ANSWER_INVALID')
      expect(error.facts.reason).toContain(reason)
    })
  )

  test('is closed twice without harm, and before it was ever asked', () =>
    inBox(make, 10_000, async (box) => {
      await box.set.close()
      await box.ask('yes')
      await box.set.close()
      await box.set.close()
    }))
})

describe.concurrent.each(programs)('%s', (_name, make) => {
  test.each(['hang', 'hang-stubborn'])('is gone with its children when time is over: %s', (how) =>
    inBox(make, 1_500, async (box) => {
      expect(await failureOf(box.ask(how))).toMatchObject({ code: 'HOOK_TIMEOUT' })
      expect(box.pid()).toBeGreaterThan(1)
      expect(membersOf(box.pid())).toEqual([])
    })
  )

  test('is gone with its children when it was aborted', () =>
    inBox(make, 60_000, async (box) => {
      const controller = new AbortController()
      const asked = failureOf(box.ask('hang', controller.signal))
      while (box.pid() === 0) await setTimeout(10)
      expect(membersOf(box.pid())).not.toEqual([])
      controller.abort()
      await asked
      expect(membersOf(box.pid())).toEqual([])
    }))

  test('that floods its output is ended', () =>
    inBox(make, 30_000, async (box) => {
      const error = await failureOf(box.ask('flood-out'))
      expect(error.code).toBe('HOOK_ANSWER_INVALID')
      expect(error.facts.reason).toContain('1048576 bytes')
      expect(membersOf(box.pid())).toEqual([])
    }))

  test('may write any amount to standard error, which is handed on in lines of 8 KiB at most', () =>
    inBox(make, 30_000, async (box) => {
      // of a session, messages may arrive later than the answer
      expect(await box.ask('flood-err')).toMatchObject({ status: 'yes', answer: GOOD })
      await box.set.close()
      expect(box.log.map(({ text }) => text.length)).toEqual([8192])
      expect(box.log[0]).toMatchObject({ hooks: 'under test' })
    }))

  test('that stops in the middle of its answer has not answered', () =>
    inBox(make, 10_000, async (box) => {
      const error = await failureOf(box.ask('half'))
      expect(['HOOK_ANSWER_INVALID', 'HOOK_FAILED']).toContain(error.code)
      expect(error.facts.reason).toMatch(/not JSON|middle of a line/)
    }))

  test('that is killed has failed; the error has the signal and its last words', () =>
    inBox(make, 10_000, async (box) => {
      expect(await failureOf(box.ask('killed'))).toMatchObject({
        code: 'HOOK_FAILED',
        facts: { status: 'killed by SIGKILL', stderr: 'so long' }
      })
    }))

  test('whose answer cannot be used shows the end of its standard error', () =>
    inBox(make, 10_000, async (box) => {
      expect(await failureOf(box.ask('unknown'))).toMatchObject({
        code: 'HOOK_ANSWER_INVALID',
        facts: { stderr: 'which colour?' }
      })
    }))

  test('that fails shows the end of its standard error', () =>
    inBox(make, 10_000, async (box) => {
      expect((await failureOf(box.ask('fail'))).facts.stderr).toBe('disk on fire')
      expect(box.log.map(({ text }) => text)).toEqual(['disk on fire'])
    }))
})

function fromFunctions(timeout: number): HookSet {
  let turns = 0
  const never = () => new Promise<never>(() => undefined)
  const behave = ({ reference }: LayerContext): unknown => {
    switch (reference) {
      case 'yes':
      case 'json':
        return GOOD
      case 'decline':
        return 'decline'
      case 'busy-twice':
        return ++turns > 2 ? GOOD : 'busy'
      case 'always-busy':
        return 'busy'
      case 'fail':
        throw new Error('it burns')
      case 'hang':
        return never()
      case 'unknown':
        return { ...GOOD, colour: 'blue' }
      case 'relative':
        return { target: 'srv/layer' }
      case 'newline':
        return { target: '/srv/la\nyer' }
      default:
        return undefined
    }
  }
  const hook = behave as () => 'decline'
  return functionHooks({
    name: 'under test',
    extract: 'layer',
    timeout,
    trySkip: hook,
    preExtract: hook,
    postExtract: hook,
    finish: () => undefined
  })
}
