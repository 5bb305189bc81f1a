import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { shippedSet } from '../conformance/kit.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { makeWithin, mountNew, requirementsOf, type Mounted } from '../support/loop.ts'
import { longTests, needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'
import { DEBIAN_NEEDS, debianLayout } from './debian-image.ts'

const SETS = [
  ['overlay', 'ext4'],
  ['btrfs', 'btrfs'],
  ['reflink', 'xfs']
] as const
/** Shows ACLs a second time, under its own names. */
const XFS = ['*:xattr.trusted.SGI_ACL_FILE,xattr.trusted.SGI_ACL_DEFAULT']

const usable = SETS.filter(
  ([, type]) => longTests() && needs(...DEBIAN_NEEDS, ...requirementsOf(type))
)

describe.runIf(usable.length > 0)('a real Debian image through hooks', { timeout: 300_000 }, () => {
  let work: string
  let layout: string

  beforeAll(() => {
    work = makeTemporary()
    layout = debianLayout()
    ociUnpackOk('raw', 'unpack', '--image', `${layout}:debian`, `${work}/plain`)
  }, 600_000)
  afterAll(() => removeTemporary(work))

  describe.each(usable)('of the %s set on %s', (set, type) => {
    let disk: Mounted
    let hooks: string
    let home: string

    beforeAll(() => {
      disk = mountNew(type, 2_000)
      home = makeWithin(disk)
      hooks = shippedSet(set, home)
    })
    afterAll(() => disk.release())

    /** The hooks that were called. */
    function unpack(name: string): string[] {
      const trace = `${home}/${name}.trace`
      const image = `${layout}:debian`
      const flags = ['--hooks', hooks, '--trace', trace, '--image', image]
      ociUnpackOk('unpack', ...flags, `${home}/${name}`)
      const lines = readFileSync(trace, 'utf8').trimEnd().split('\n')
      return lines.map((line) => (JSON.parse(line) as { hook: string }).hook)
    }

    test('is what a plain unpack makes, twice, and is extracted once', () => {
      const extract = 'unpack.ociv1.layer.pre-extract'
      expect(unpack('one')).toContain(extract)
      expect(compareTrees(`${work}/plain`, `${home}/one/rootfs`, XFS)).toEqual([])
      expect(unpack('two')).not.toContain(extract)
      expect(compareTrees(`${work}/plain`, `${home}/two/rootfs`, XFS)).toEqual([])
      for (const name of ['one', 'two'])
        ociUnpackOk('bundle', 'delete', '--hooks', hooks, `${home}/${name}`)
    })

    test.runIf(set === 'overlay')('refuses a device that would be a whiteout', () => {
      const run = ociUnpack('unpack', '--hooks', hooks, '--image', `${layout}:device`, `${home}/no`)
      expect(run.status).toBe(1)
      expect(run.stderr).toContain('ENTRY_INVALID')
    })
  })
})
