/** What only functions can do, or can do wrong. */
import { describe, expect, test } from 'vitest'
import { functionHooks } from '../../src/hooks/function-hooks.ts'
import type { UnpackHooks } from '../../src/hooks/unpack-hooks.ts'
import { failure } from '../support/failure.ts'
import { deltaListContext, imageContext, layerContext } from './contexts.ts'
import { failureOf } from './support.ts'

describe('functions', () => {
  test('get the context itself and a signal, as members of their object', async () => {
    class Cache implements UnpackHooks {
      readonly has = new Set([layerContext('x').chainId])
      trySkip(layer: { chainId: string }, { signal }: { signal: AbortSignal }) {
        return !signal.aborted && [...this.has].includes(layer.chainId as never)
          ? 'skip'
          : 'decline'
      }
    }
    const set = functionHooks(new Cache())
    expect(await set.call('try-skip', layerContext('x'))).toEqual({ status: 'yes', answer: {} })
  })

  test('that return nothing have done what they were asked', async () => {
    const set = functionHooks({ finish: async () => {}, abort: () => undefined })
    const context = { ...imageContext('x'), layers: [] }
    expect(await set.call('finish', context)).toEqual({ status: 'yes', answer: {} })
    expect(await set.call('abort', { ...context, targets: [] })).toMatchObject({ status: 'yes' })
  })

  test('must say whether to skip', async () => {
    const set = functionHooks({ trySkip: (() => undefined) as unknown as () => 'skip' })
    expect(await failureOf(set.call('try-skip', layerContext('x')))).toMatchObject({
      code: 'HOOK_ANSWER_INVALID'
    })
  })

  test('that throw are the cause of the failure', async () => {
    const cause = new TypeError('it burns')
    const set = functionHooks({ gc: () => Promise.reject<undefined>(cause) })
    const error = await failureOf(set.call('gc', { liveKeys: [] }))
    expect(error).toMatchObject({ code: 'HOOK_FAILED', facts: { reason: 'it burns' } })
    expect(error.cause).toBe(cause)
  })

  test('learn when nobody waits for them any more', async () => {
    let signal: AbortSignal | undefined
    const set = functionHooks({
      timeout: 50,
      gc: (_context, call) => {
        signal = call.signal
        return new Promise<never>(() => undefined)
      }
    })
    expect((await failureOf(set.call('gc', { liveKeys: [] }))).code).toBe('HOOK_TIMEOUT')
    expect(signal?.aborted).toBe(true)
  })

  test.each([
    ['a list', () => ['etc/passwd', Buffer.from('a\xff', 'latin1'), 'usr/']],
    [
      'a generator',
      async function* () {
        yield 'etc/passwd'
        await Promise.resolve()
        yield Buffer.from('a\xff', 'latin1')
        yield 'usr/'
      }
    ]
  ])('name changed paths by %s', async (_what, deltaList) => {
    const outcome = await functionHooks({ deltaList }).call('delta-list', deltaListContext('x'))
    expect(outcome).toMatchObject({
      answer: { paths: { entries: new Set(['etc/passwd', 'a\xff']), trees: new Set(['usr']) } }
    })
  })

  test.each([
    ['a slip of the pen', { tryskip: () => 'skip' }, 'Did you mean "trySkip"?'],
    ['whiteouts without layers', { whiteouts: 'overlay' }, undefined],
    ['layers without functions for them', { extract: 'layer' }, undefined]
  ])('are refused with %s', (_what, hooks, hint) => {
    expect(failure(() => functionHooks(hooks as UnpackHooks))).toMatchObject({
      code: 'HOOKS_INVALID',
      hint
    })
  })
})
