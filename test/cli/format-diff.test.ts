/** How a change is shown. */
import { expect, test } from 'vitest'
import { formatDiff } from '../../src/cli/format-diff.ts'
import { plain } from '../../src/cli/paint.ts'
import type { DiffEntry } from '../../src/index.ts'

function modified(before: string | undefined): DiffEntry {
  const changes = [{ keyword: 'sha256digest', before, after: 'b'.repeat(64) }]
  return { kind: 'modified', path: 'f', changes }
}

test('a digest that was not known is not said to have changed', () => {
  expect(formatDiff(modified('a'.repeat(64)), 'keywords', plain)).toBe('M f (sha256digest)\n')
  expect(formatDiff(modified(undefined), 'keywords', plain)).toBe('M f (content unknown)\n')
  expect(JSON.parse(formatDiff(modified(undefined), 'json', plain))).toMatchObject({
    changes: [{ keyword: 'sha256digest', before: null }]
  })
})
