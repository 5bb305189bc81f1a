import { describe, expect, test } from 'vitest'
import { checkEnv, hasVariable, mergeEnv } from '../../src/bundle/env.ts'

describe('mergeEnv', () => {
  test('replaces in place, appends the rest, and the last of equal names wins', () => {
    expect(mergeEnv(['PATH=/bin', 'TERM=xterm'], ['A=1', 'PATH=', 'B=x=y', 'A=2'])).toEqual([
      'PATH=',
      'TERM=xterm',
      'A=2',
      'B=x=y'
    ])
  })
})

describe('checkEnv', () => {
  test.each(['', 'NAME', '=value', '='])('refuses %j and says which one it is', (variable) => {
    expect(() => checkEnv(['A=1', variable])).toThrow(
      expect.objectContaining({
        code: 'CONFIG_UNSUPPORTED',
        facts: { pointer: '/config/Env/1', found: JSON.stringify(variable) }
      })
    )
  })
})

describe('hasVariable', () => {
  test('sees variables that are empty, and no prefixes', () => {
    expect(hasVariable(['HOME='], 'HOME')).toBe(true)
    expect(hasVariable(['HOMER=x'], 'HOME')).toBe(false)
  })
})
