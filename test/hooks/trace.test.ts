import { describe, expect, test } from 'vitest'
import { functionHooks } from '../../src/hooks/function-hooks.ts'
import { withTrace, type TraceRecord } from '../../src/hooks/trace.ts'
import { deltaListContext, imageContext, layerContext, prepareContext } from './contexts.ts'
import { failureOf } from './support.ts'

const records: TraceRecord[] = []
const set = withTrace(
  functionHooks({
    prepare: ({ layers }) => ({ layers: { [layers[0]!.chainId]: 'skip' } }),
    trySkip: () => 'decline',
    deltaList: () => ['a', 'b', 'c/'],
    runtimeConfig: () => ({ config: { ociVersion: '1.0.2' } }),
    finish: () => Promise.reject<undefined>(new Error('no'))
  }),
  (record) => records.push(record)
)

describe('a trace', () => {
  test('has each call with what was told and answered, without documents', async () => {
    await set.call('prepare', prepareContext('x'))
    await set.call('try-skip', layerContext('x'))
    await set.call('delta-list', deltaListContext('x'))
    await set.call('runtime-config', { ...imageContext('x'), runtimeConfig: { a: 1 } })
    await failureOf(set.call('finish', { ...imageContext('x'), layers: [] }))
    await set.call('gc', { liveKeys: [] })
    expect(records.map(({ hook }) => hook)).toEqual([
      'unpack.ociv1.prepare',
      'unpack.ociv1.layer.try-skip',
      'repack.ociv1.layer.delta-list',
      'bundle.runtime-config',
      'unpack.ociv1.finish'
    ])
    expect(records.map(({ outcome }) => outcome)).toMatchObject([
      { status: 'yes', answer: { layers: { [layerContext('x').chainId]: { status: 'skip' } } } },
      { status: 'decline' },
      { status: 'yes', answer: { paths: { entries: 2, trees: 1 } } },
      { status: 'yes', answer: { config: true } },
      { status: 'failed', code: 'HOOK_FAILED', facts: { reason: 'no' } }
    ])
    for (const { context, milliseconds, hooks } of records) {
      expect(context).toMatchObject({ bundle: '/bundle' })
      expect(Object.keys(context)).not.toContain('manifest')
      expect(Object.keys(context)).not.toContain('config')
      expect(Object.keys(context)).not.toContain('runtimeConfig')
      expect(milliseconds).toBeGreaterThanOrEqual(0)
      expect(hooks).toBe('functions')
    }
    expect(() => JSON.stringify(records)).not.toThrow()
  })
})
