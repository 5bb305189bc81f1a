/** Several things on their way at once, of which one fails. */
import { describe, expect, test } from 'vitest'
import { forSeveral, type Breathe } from '../../src/store/several.ts'

const noPause = (): Promise<void> => Promise.resolve()
const never = new Promise<void>(() => undefined)

describe('what is under way', () => {
  test.each<[string, (breathe: Breathe) => Promise<void>]>([
    ['does not wait any longer', (breathe) => breathe(never)],
    [
      'does not go on',
      async (breathe) => {
        for (;;) await breathe(new Promise((resolve) => setTimeout(resolve, 1)))
      }
    ]
  ])('%s after another has failed', async (_, act) => {
    const ended: string[] = []
    const failing = forSeveral(['good', 'bad', 'late'], 2, noPause, async (item, breathe) => {
      try {
        if (item === 'good') await act(breathe)
        await breathe(new Promise((resolve) => setTimeout(resolve, 5)))
        throw new Error(item)
      } finally {
        ended.push(item)
      }
    })
    await expect(failing).rejects.toThrow('bad')
    expect(ended).toEqual(['bad', 'good'])
  })
})

test('nothing waits longer than for what it waits for', async () => {
  const done: number[] = []
  await forSeveral([1, 2, 3], 2, noPause, async (item, breathe) => {
    await breathe(Promise.resolve())
    done.push(item)
  })
  expect(done).toEqual([1, 2, 3])
})
