/** The command line's young generation stays small, whatever is kept. */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const PROGRAM = `
  import { getHeapSpaceStatistics } from 'node:v8'
  import { setV8Flags } from './build/cli/v8-flags.js'
  setV8Flags()
  const kept = []
  for (let index = 0; index < 300_000; index++) kept.push({ index, list: [index] })
  console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size)
`

test('the young generation does not grow', () => {
  const args = ['--input-type=module', '--eval', PROGRAM]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(Number(stdout)).toBeLessThanOrEqual(4 * 1024 * 1024)
})
