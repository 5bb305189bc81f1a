/** Does what the pages for those who come from other programs say, to the letter. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { needs } from '../support/requires.ts'
import { ok, run } from '../support/run.ts'
import { removeTemporary } from '../support/temporary.ts'
import { buildPageImages } from './page-images.ts'
import { doStep, makePlace, readPage, stepsOf, titleOf, type Step } from './page.ts'

const TOOLS = ['root', 'umoci', 'skopeo', 'jq', 'igzip', 'getcap', 'python3']

describe.runIf(needs(...TOOLS))('from-umoci.md', () => {
  const page = readPage('from-umoci.md')
  const { steps, inPlace } = usePage(page)

  test.each(steps)('%s', (_, act) => act())

  test('has a row for every command of umoci', () => {
    const documented = [...page.matchAll(/^\| (`.*?) +\| the same/gm)].flatMap((match) =>
      match[1]!.split(', ').map((name) => name.replaceAll('`', ''))
    )
    const raw = commandsIn('raw', '--help').map((name) => `raw ${name}`)
    const known = [...commandsIn('--help'), ...raw]
    expect(known).toEqual(expect.arrayContaining(['unpack', 'raw add-layer', 'ls']))
    expect(documented).toEqual(expect.arrayContaining(known.filter((it) => it !== 'raw config')))
  })

  test('leaves bundles of either program that are alike', () => {
    const trees = ['theirs', 'ours'].map((tag) => join(inPlace(''), `again-${tag}`))
    for (const [at, tag] of ['from-theirs', 'from-ours'].entries())
      ok('umoci', 'raw', 'unpack', '--image', `${inPlace('image')}:${tag}`, trees[at]!)
    expect(compareTrees(trees[0]!, trees[1]!)).toEqual([])
  })
})

/** Names and aliases, as the help of umoci lists them below its categories. */
function commandsIn(...args: string[]): string[] {
  const lines = run('umoci', ...args).stdout.match(/^ {5}\w[\w-]*(?:, [\w-]+)*(?= {2,})/gm) ?? []
  return lines.flatMap((line) => line.trim().split(', '))
}

describe.runIf(needs(...TOOLS))('from-skopeo-and-tar.md', () => {
  const { steps, shown, inPlace, command } = usePage(readPage('from-skopeo-and-tar.md'))

  test.each(steps)('%s', (_, act) => act())

  test('lists the same layers by script and here', () => {
    const lists = [...shown].filter(([name]) => name.endsWith("layers[].digest'"))
    const [byScript, here] = lists.map(([, list]) => list)
    expect(byScript).toMatch(/^(sha256:[0-9a-f]{64}\n){2}$/)
    expect(here).toBe(byScript)
  })

  test.each(['ls by-us/etc/service', 'getcap by-tar/usr/bin/server', 'ls outside'])(
    'where nothing is shown, there is nothing: %s',
    (name) => {
      expect(shown.get(name)).toBe('')
    }
  )

  test('makes whole images by all ways', () => {
    for (const tag of ['by-script', 'by-us', 'by-add-layer'])
      command(`oci-unpack verify --image image:${tag}`)
    const motd = 'raw unpack --image image:by-script by-script && cat by-script/etc/motd'
    expect(command(`oci-unpack ${motd}`)).toBe('changed\n')
  })

  test('makes one tree of the layout and of the saved archive', () => {
    expect(compareTrees(inPlace('by-us'), inPlace('saved'))).toEqual([])
    expect(readFileSync(inPlace('arm64-tree/arch'), 'utf8')).toBe('arm64\n')
  })
})

/** A place for the page, its steps, and what each command showed. */
function usePage(page: string): {
  steps: [title: string, act: () => void][]
  shown: ReadonlyMap<string, string>
  inPlace: (path: string) => string
  command: (command: string) => string
} {
  let place = ''
  const shown = new Map<string, string>()
  beforeAll(() => {
    place = makePlace()
    buildPageImages(place)
  })
  afterAll(() => removeTemporary(place))
  const act = (step: Step): void => void shown.set(titleOf(step), doStep(place, step))
  return {
    steps: stepsOf(page).map((step) => [titleOf(step), () => act(step)]),
    shown,
    inPlace: (path) => join(place, path),
    command: (command) => doStep(place, { command, shown: '' })
  }
}
