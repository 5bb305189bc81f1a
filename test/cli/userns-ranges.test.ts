/** The lines of /etc/subuid. */
import { describe, expect, test } from 'vitest'
import { firstFree, rangesIn } from '../../src/cli/userns-ranges.ts'

const ALICE = { id: 1000, name: 'alice' }

const files: { name: string; text: string; ranges: [start: number, count: number][] }[] = [
  { name: 'nothing', text: '', ranges: [] },
  { name: 'a line by name', text: 'alice:100000:65536\n', ranges: [[100_000, 65_536]] },
  { name: 'a line by id, without an end', text: '1000:5:6', ranges: [[5, 6]] },
  {
    name: 'several lines, in order',
    text: 'alice:300000:10\nbob:1:2\nalice:100000:10\n1000:7:1\n',
    ranges: [
      [300_000, 10],
      [100_000, 10],
      [7, 1]
    ]
  },
  { name: 'comments', text: '# alice:1:2\n#alice:1:2\nalice:3:4\n', ranges: [[3, 4]] },
  {
    name: 'malformed lines',
    text: 'alice\nalice:\nalice:1\nalice:x:1\nalice:-1:5\nalice:1:2:3\n:1:2\nalice:9:0\nalice:3:4\n',
    ranges: [[3, 4]]
  },
  {
    name: 'spaces and CRLF at the end',
    text: 'alice:3:4 \r\nalice:9:1\r\n',
    ranges: [
      [3, 4],
      [9, 1]
    ]
  },
  { name: 'names that begin alike', text: 'alice2:1:2\nalic:1:2\n10001:1:2\n', ranges: [] }
]

describe('ranges of a user', () => {
  test.each(files)('$name', ({ text, ranges }) => {
    expect(rangesIn(text, ALICE)).toEqual(ranges.map(([start, count]) => ({ start, count })))
  })

  test('by id alone where the user has no account', () => {
    expect(rangesIn('undefined:1:2\n4000:3:4\n', { id: 4000, name: undefined })).toEqual([
      { start: 3, count: 4 }
    ])
  })
})

test('a free range comes after all others', () => {
  expect(firstFree('')).toBe(100_000)
  expect(firstFree('a:100000:65536\n# c:900000:1\nb:165536:65536\n')).toBe(231_072)
})
