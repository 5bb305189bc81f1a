/** How long servers ask to wait. */
import { describe, expect, test } from 'vitest'
import { parseRetryAfter } from '../../src/registry/tries.ts'
import { send, type Fault } from '../support/faulty-registry.ts'
import { failureOf, withRegistry } from './support.ts'

const NOW = Date.parse('2026-11-29T12:00:00Z')

test.each([
  [undefined, undefined],
  ['2', 2000],
  [' 1.5 ', 1500],
  ['86400', 86_400_000],
  ['Sun, 29 Nov 2026 12:00:03 GMT', 3000],
  // these are not pauses
  ['0', undefined],
  ['-1', undefined],
  ['+0', undefined],
  ['', undefined],
  ['soon', undefined],
  ['Sun, 29 Nov 2026 11:59:00 GMT', undefined],
  ['Thu, 01 Jan 1970 00:00:00 GMT', undefined],
  ['1796000000', undefined],
  ['9'.repeat(400), undefined],
  ['Fri, 31 Dec 9999 23:59:59 GMT', undefined]
])('Retry-After: %s', (header, expected) => {
  expect(parseRetryAfter(header, NOW)).toBe(expected)
})

describe('a registry is not asked again and again at once if it says Retry-After:', () => {
  test.each(['0', '-5', '0.001', '1796000000', 'Thu, 01 Jan 1970 00:00:00 GMT'])(
    '%s',
    async (header) => {
      const busy: Fault = ({ url, response }) =>
        url.pathname !== '/v2/' && send(response, 429, { 'retry-after': header })
      const asked = async (): Promise<void> =>
        withRegistry(
          busy,
          async ({ client, registry, events }) => {
            expect((await failureOf(client.document('x', 1000))).code).toBe('REGISTRY_BUSY')
            expect(registry.seen.filter(({ path }) => path.includes('manifests'))).toHaveLength(3)
            const pauses = events.map((event) => (event.type === 'retry' ? event.delayMs : 0))
            expect(pauses).toHaveLength(2)
            expect(Math.min(...pauses)).toBeGreaterThanOrEqual(20)
            expect(Math.max(...pauses)).toBeLessThanOrEqual(80)
          },
          { timing: { attempts: 3, backoff: 40, longestBackoff: 80 } }
        )
      await asked()
    }
  )
})
