/** Does what the tutorial of docs/hooks.md says, to the letter. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import type { Run } from '../support/run.ts'
import { directory, file, hardlink, symlink, tar } from '../support/tar-builder.ts'
import { removeTemporary } from '../support/temporary.ts'
import { doStep, makePlace, readPage, runIn, stepsOf, titleOf } from './page.ts'

const text = readPage('hooks.md')
const tutorial = text.slice(text.indexOf('\n## Tutorial'), text.indexOf('\n## Reference'))

const steps = stepsOf(tutorial)

describe.skipIf(!needs('root', 'python3'))('the tutorial of hooks.md', () => {
  let place = ''

  beforeAll(() => {
    place = makePlace()
    buildImage(join(place, 'image'), { layers: LAYERS })
  })
  afterAll(() => removeTemporary(place))

  const inPlace = (command: string): Run => runIn(place, command)

  test.each(steps.map((step) => [titleOf(step), step] as const))('%s', (_, step) => {
    doStep(place, step)
  })

  test.each(['one', 'two'])('bundle %s is what an unpack without hooks makes', (bundle) => {
    expect(compareTrees(join(place, bundle, 'rootfs'), join(place, 'three/rootfs'))).toEqual([])
    expect(inPlace(`oci-unpack diff ${bundle}`)).toMatchObject({ status: 0, stdout: '' })
  })

  test('the first unpack made each layer once', () => {
    const calls = readFileSync(join(place, 'cold.jsonl'), 'utf8')
    expect(calls.match(/"hook":"unpack\.ociv1\.layer\.post-extract"/g)).toHaveLength(LAYERS.length)
  })

  test('an unpack that fails leaves neither bundle nor staged directory', () => {
    const [base, top] = LAYERS
    const lie = { tar: top!, diffId: `sha256:${'0'.repeat(64)}` }
    buildImage(join(place, 'damaged'), { layers: [base!, lie] })
    const options = '--hooks plain/hooks.toml --trace failed.jsonl --image damaged'
    const { stderr } = inPlace(`rm -r plain/store; oci-unpack unpack ${options} four`)
    expect(stderr).toContain('DIFF_ID_MISMATCH')
    expect(readFileSync(join(place, 'failed.jsonl'), 'utf8')).toMatch(/"targets":\["\/.*staged/)
    expect(inPlace('ls plain/store').stdout).toMatch(/^[0-9a-f]{64}\n$/)
    expect(existsSync(join(place, 'four'))).toBe(false)
  })
})

/** Nobody describes the root, which is the engine's to describe then. */
const LAYERS = [
  tar(
    directory('etc/', { mtime: 5 }),
    file('etc/motd', 'old', { mtime: 6, uid: 3 }),
    file('etc/gone'),
    directory('srv/', { mode: 0o1777 }),
    file('srv/data', 'one body, two names'),
    hardlink('srv/link', 'srv/data'),
    symlink('srv/symbolic', 'data')
  ),
  tar(file('etc/motd', 'new', { mode: 0o4755 }), file('etc/.wh.gone'))
]
