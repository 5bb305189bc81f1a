import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConformanceRow } from '../../src/index.ts'
import { needs } from '../support/requires.ts'
import { ok, run } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { LONG_CASE, NO_MOUNT, testFunctions } from './kit.ts'

/** A defect, the case that finds it, and what its row says: of the question and of what was seen. */
const DEFECTS: readonly [defect: string, case_: string, asked: RegExp, seen: RegExp][] = [
  [
    'skip lies',
    'cold unpack',
    /try-skip for layer 0 \(key sha256:\w+\), which answered yes .*empty/,
    /no storage can have any of its 2 layers/
  ],
  [
    'commit before complete',
    LONG_CASE,
    /pre-extract for layer 0 .*then the process was killed/,
    /is not what the engine makes without hooks:\n[^]*is missing/
  ],
  [
    'target inside another',
    'cold unpack',
    /pre-extract for layer 1 .*which answered yes .*inner/,
    /HOOK_ANSWER_INVALID[^]*overlap/
  ],
  ['finish does nothing', 'cold unpack', /finish/, /finish did not make a root file system/],
  [
    'delta-list leaves out',
    'delta-list',
    /repack\.ociv1\.layer\.delta-list/,
    /HOOK_ANSWER_INVALID[^]*gone, gone-dir, opaque[^]*3 changed paths are not in it/
  ],
  ['delete leaves the mount', 'delete', /./, /BUNDLE_BUSY[^]*something is mounted there/],
  [
    'mount loses changes',
    NO_MOUNT,
    /bundle\.mount/,
    /not what it was before it was unmounted:\netc\/salt: /
  ],
  ['delete goes by the path', 'renamed parent', /delete/, /BUNDLE_BUSY[^]*mounted there/],
  ['abort does nothing', 'failing post-extract', /abort/, /still there: .*staged\/layer-/],
  ['bundles share files', 'delete', /./, /another bundle was written to[^]*etc\/salt: /],
  ['times are lost', 'metadata and odd names', /./, /mtime is .*, should be 1600000000\.123456789/],
  ['gc removes all', 'gc', /try-skip/, /Layers 0, 1 were extracted, but none should have been/],
  ['gc removes nothing', 'gc', /try-skip/, /Layers none were extracted, but 0, 1 should have/]
]

describe.runIf(needs('root', 'mountpoint'))('the kit tells of hooks that are wrong', () => {
  let home: string

  beforeEach(() => {
    home = makeTemporary()
  })
  afterEach(() => {
    for (const point of mountsBelow(home)) ok('umount', point)
    removeTemporary(home)
  })

  test.each(DEFECTS)('%s', async (defect, name, asked, seen) => {
    const { ok: passed, rows } = await testFunctions(home, { cases: [name] }, defect)
    expect(passed).toBe(false)
    const { failure } = failed(rows[0]!)
    expect(failure.asked).toMatch(asked)
    expect(failure.contract).toMatch(/\w+ .*\./)
    expect(failure.seen).toMatch(seen)
  })

  test('a cause is told once, and then the case that told it', async () => {
    const { rows } = await testFunctions(
      home,
      { cases: ['cold unpack', 'warm unpack', 'metadata and odd names', 'renamed parent'] },
      'prepare fails'
    )
    const failures = rows.map((row) => failed(row).failure)
    expect(failures.map(({ sameAs }) => sameAs)).toEqual([
      undefined,
      'cold unpack',
      'cold unpack',
      'cold unpack'
    ])
    expect(failures[0]!.seen).toContain('reason: no room in ')
  })

  test('what it cannot take away is left, and told', async () => {
    const report = await testFunctions(home, { cases: ['delete'] }, 'delete leaves the mount')
    expect(report.scratch).toMatch(`${home}/bundles/`)
    expect(mountsBelow(report.scratch!)).not.toEqual([])
  })
})

function failed({
  verdict
}: ConformanceRow): Extract<ConformanceRow['verdict'], { kind: 'failed' }> {
  if (verdict.kind === 'failed') return verdict
  throw new Error(`the case is ${verdict.kind}`)
}

function mountsBelow(directory: string): string[] {
  const { stdout } = run('findmnt', '--raw', '--noheadings', '--output', 'TARGET')
  return stdout.split('\n').filter((point) => point.startsWith(`${directory}/`))
}
