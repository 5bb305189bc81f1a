import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EngineEvent } from '../../src/index.ts'
import { openLayout } from '../../src/store/layout.ts'
import { resolveImage } from '../../src/store/resolve.ts'
import { shippedSet } from '../conformance/kit.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { library } from '../support/dist.ts'
import { makeWithin, mountNew, requirementsOf, type Mounted } from '../support/loop.ts'
import { longTests, needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'
import { DEBIAN_NEEDS, debianLayout } from './debian-image.ts'

const SETS = [
  ['overlay', 'ext4'],
  ['erofs', 'ext4'],
  ['pool', 'btrfs'],
  ['pool', 'xfs']
] as const
const changes = new URL('../support/scripted-changes.sh', import.meta.url).pathname
/** Shows ACLs a second time, under its own names. */
const XFS = ['*:xattr.trusted.SGI_ACL_FILE,xattr.trusted.SGI_ACL_DEFAULT']

const usable = SETS.filter(
  ([set, type]) =>
    longTests() &&
    needs(...DEBIAN_NEEDS, ...(set === 'erofs' ? ['erofs'] : []), ...requirementsOf(type))
)

describe.runIf(usable.length > 0)('a real Debian image through hooks', { timeout: 300_000 }, () => {
  let work: string
  let layout: string
  let layers: number

  beforeAll(() => {
    work = makeTemporary()
    layout = `${work}/layout`
    ok('cp', '-a', debianLayout(), layout)
    ociUnpackOk('raw', 'unpack', '--image', `${layout}:debian`, `${work}/plain`)
    layers = resolveImage(openLayout(layout), 'debian', undefined).manifest.layers.length
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

    test('is what a plain unpack makes, twice, and is extracted once', async () => {
      expect(await bytesOfUnpack('one')).toBeGreaterThan(1e8)
      expect(compareTrees(`${work}/plain`, `${home}/one/rootfs`, XFS)).toEqual([])
      expect(unpack('two')).not.toContain('unpack.ociv1.layer.pre-extract')
      expect(compareTrees(`${work}/plain`, `${home}/two/rootfs`, XFS)).toEqual([])
      expect(await bytesOfUnpack('three')).toBe(0)
      for (const name of ['two', 'three']) remove(name)
    })

    // on xfs the pool has no snapshots to compare
    test.runIf(type !== 'xfs')('has one layer of changes, listed or looked for', () => {
      ok(changes, `${home}/one/rootfs`)
      const listed = repack('listed', '--hooks', hooks)
      expect(repack('verified', '--hooks', hooks, '--verify-delta')).toBe(listed)
      expect(repack('walked', '--no-hooks')).toBe(listed)
    })

    test('is removed', () => {
      remove('one')
      expect(existsSync(`${home}/one`)).toBe(false)
    })

    /** Bytes of tar that the engine unpacked. */
    async function bytesOfUnpack(name: string): Promise<number> {
      let bytes = 0
      const onEvent = (event: EngineEvent): void => {
        if (event.type === 'layer') bytes += event.counters.unpacked
      }
      const options = { image: `${layout}:debian`, destination: `${home}/${name}`, onEvent }
      await library.unpack({ ...options, hooks: { file: hooks } })
      return bytes
    }

    /** The digest of the new layer. */
    function repack(tag: string, ...flags: string[]): string | undefined {
      ociUnpackOk('repack', ...flags, '--image', `${layout}:${tag}`, `${home}/one`)
      const { manifest } = resolveImage(openLayout(layout), tag, undefined)
      expect(manifest.layers.length).toBeGreaterThan(layers)
      return manifest.layers.at(-1)?.digest
    }

    function remove(name: string): void {
      ociUnpackOk('bundle', 'delete', '--hooks', hooks, `${home}/${name}`)
    }

    test.runIf(set === 'overlay')('refuses a device that would be a whiteout', () => {
      const run = ociUnpack('unpack', '--hooks', hooks, '--image', `${layout}:device`, `${home}/no`)
      expect(run.status).toBe(1)
      expect(run.stderr).toContain('ENTRY_INVALID')
    })
  })
})
