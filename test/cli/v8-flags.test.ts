/** The command line's young generation stays small, whatever is kept. */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

// The smallest of many sizes: while V8 marks, the space may exceed its capacity for a moment.
const PROGRAM = `
  import { getHeapSpaceStatistics } from 'node:v8'
  import { setV8Flags } from './build/cli/v8-flags.js'
  setV8Flags()
  const kept = []
  const sizes = []
  for (let index = 0; index < 600_000; index++) {
    kept.push({ index, list: [index] })
    if (index < 300_000 || index % 10_000 !== 0) continue
    sizes.push(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size)
  }
  console.log(Math.min(...sizes))
`

test('the young generation does not grow', () => {
  const args = ['--input-type=module', '--eval', PROGRAM]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(Number(stdout)).toBeLessThanOrEqual(4 * 1024 * 1024)
})
