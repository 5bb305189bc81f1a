/** Which bundle of a directory is in use, and what hooks are told of it. */
import { spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  listBundles,
  pruneBundles,
  selectBundle,
  unpack,
  type EngineEvent,
  type SelectBundleOptions,
  type SelectBundleResult
} from '../../src/index.ts'
import { ociUnpackCommand } from '../e2e/cli.ts'
import { tryLock } from '../../src/sys/lock.ts'
import { buildImage } from '../support/image-builder.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackOptions } from '../support/whoever.ts'
import { codeOf } from './support.ts'

let work: string
let pool: string
let image: string
let manifestDigest: string
beforeEach(async () => {
  work = fs.realpathSync(makeTemporary())
  pool = `${work}/pool`
  const built = buildImage(`${work}/layout`, { layers: [tar(file('f', 'x'))], tag: 't' })
  image = built.reference
  manifestDigest = built.manifest.digest
  for (const name of ['one', 'two', 'three'])
    await unpack({ ...unpackOptions, image, destination: `${pool}/${name}`, jobs: 0 })
})
afterEach(() => removeTemporary(work))

type More = Partial<SelectBundleOptions>

async function select(name: string, more: More = {}): Promise<SelectBundleResult> {
  return selectBundle({ bundle: `${pool}/${name}`, ...more })
}

function selected(link = 'selected'): string {
  return fs.readlinkSync(`${pool}/${link}`)
}

/** All names in the pool that are no bundle. */
function links(): string[] {
  return fs.readdirSync(pool).filter((name) => !['one', 'two', 'three'].includes(name))
}

/** What hooks are told, as names of bundles. */
interface Told {
  bundle: string
  oldBundle: string | undefined
  /** Where the link leads meanwhile. */
  link: string
}

function telling(told: Told[], act: () => void = () => undefined): NonNullable<More['hooks']> {
  return {
    selected: ({ bundle, oldBundle, link }) => {
      told.push({ bundle, oldBundle, link: fs.readlinkSync(link) })
      act()
    }
  }
}

function fails(): never {
  throw new Error('no')
}

describe('select', () => {
  test('lets a link beside the bundle lead to it', async () => {
    const link = `${pool}/selected`
    expect(await select('one')).toEqual({ link, bundle: `${pool}/one` })
    expect(selected()).toBe('one')
    const result = { link, bundle: `${pool}/two`, oldBundle: `${pool}/one` }
    expect(await select('two')).toEqual(result)
    expect(selected()).toBe('two')
    expect(links()).toEqual(['selected'])
  })

  test('goes back, too', async () => {
    for (const name of ['one', 'two', 'one']) await select(name)
    expect(selected()).toBe('one')
  })

  test('finds the bundle behind a link', async () => {
    fs.symlinkSync(`${pool}/two`, `${work}/elsewhere`)
    await selectBundle({ bundle: `${work}/elsewhere` })
    expect(selected()).toBe('two')
    await select('selected')
    expect(selected()).toBe('two')
  })

  test('takes other names of the link', async () => {
    await select('one')
    await select('two', { link: 'next' })
    expect([selected(), selected('next')]).toEqual(['one', 'two'])
  })

  const UNUSABLE = ['', '.', '..', 'a/b', 'a\0b', 'one', '.selected.before', 'é'.repeat(101)]

  test.each(UNUSABLE)('refuses the name %j', async (link) => {
    expect(await codeOf(select('one', { link }))).toBe('USAGE')
    expect(links()).toEqual([])
  })

  test.each(['rootfs', 'config.json', 'umoci.json'])(
    'refuses a bundle without %s',
    async (name) => {
      fs.renameSync(`${pool}/one/${name}`, `${work}/moved`)
      expect(await codeOf(select('one'))).toBe('BUNDLE_INVALID')
      expect(links()).toEqual([])
    }
  )

  test('replaces a link that leads nowhere any more', async () => {
    await select('one')
    fs.rmSync(`${pool}/one`, { recursive: true })
    expect(await select('two')).not.toHaveProperty('oldBundle')
    expect(selected()).toBe('two')
  })

  const OTHERS: Readonly<Record<string, (path: string) => void>> = {
    'a file': (path) => fs.writeFileSync(path, ''),
    'a directory': (path) => fs.mkdirSync(path),
    'a link to something else': (path) => fs.symlinkSync(work, path),
    'a link into a bundle': (path) => fs.symlinkSync('one/rootfs', path)
  }

  test.each(Object.entries(OTHERS))('does not replace %s', async (_name, make) => {
    make(`${pool}/selected`)
    const before = fs.lstatSync(`${pool}/selected`, { bigint: true }).ino
    expect(await codeOf(select('one'))).toBe('TARGET_INVALID')
    expect(fs.lstatSync(`${pool}/selected`, { bigint: true }).ino).toBe(before)
    expect(links()).toEqual(['selected'])
  })

  test('refuses what is no complete bundle', async () => {
    await select('one')
    fs.mkdirSync(`${pool}/empty`)
    fs.mkdirSync(`${pool}/two/.oci-unpack`, { recursive: true })
    fs.writeFileSync(`${pool}/two/.oci-unpack/unfinished`, '')
    for (const name of ['empty', 'two', 'none'])
      expect(await codeOf(select(name))).toBe('BUNDLE_INVALID')
    expect(selected()).toBe('one')
  })
})

describe('list and prune', () => {
  test('know what is selected', async () => {
    await select('one')
    const listed = await listBundles({ directory: pool, jobs: 0 })
    expect(listed.map(({ name, selectedBy }) => [name, selectedBy])).toEqual([
      ['one', ['selected']],
      ['three', []],
      ['two', []]
    ])
    await pruneBundles({ directory: pool, keep: 1, jobs: 0 })
    expect(fs.readdirSync(pool).sort()).toEqual(['one', 'selected', 'three'])
  })

  test('do not take unfinished work for a selection', async () => {
    fs.symlinkSync('one', `${pool}/.selected.oci-unpack-0123456789ab`)
    const [one] = await listBundles({ directory: pool, jobs: 0 })
    expect(one).toMatchObject({ name: 'one', selectedBy: [] })
    await select('two')
    expect(links()).toEqual(['selected'])
  })

  test.each([
    ['a selection', () => select('one'), () => links().length > 0],
    [
      'the removal of a bundle',
      () => pruneBundles({ directory: pool, keep: 2, jobs: 0 }),
      () => fs.readdirSync(pool).length < 3
    ]
  ])('%s waits while another process selects or removes there', async (_name, act, isDone) => {
    const other = fs.openSync(pool, 'r')
    expect(tryLock(other, 'exclusive')).toBe(true)
    const acting = act()
    await setTimeout(200)
    expect(isDone()).toBe(false)
    fs.closeSync(other)
    await acting
    expect(isDone()).toBe(true)
  })
})

describe('hooks', () => {
  test('are told of the old bundle, while the link leads to the new one', async () => {
    const told: Told[] = []
    const hooks = telling(told)
    for (const name of ['one', 'two', 'two', 'one']) await select(name, { hooks })
    expect(told).toEqual([
      { bundle: `${pool}/one`, oldBundle: undefined, link: 'one' },
      { bundle: `${pool}/two`, oldBundle: `${pool}/one`, link: 'two' },
      { bundle: `${pool}/two`, oldBundle: undefined, link: 'two' },
      { bundle: `${pool}/one`, oldBundle: `${pool}/two`, link: 'one' }
    ])
    expect(links()).toEqual(['selected'])
  })

  test('get all facts', async () => {
    let facts: object = {}
    const hooks: More['hooks'] = { selected: (context) => void (facts = context) }
    await select('one')
    await select('two', { hooks })
    expect(facts).toEqual({
      bundle: `${pool}/two`,
      rootfs: `${pool}/two/rootfs`,
      state: `${pool}/two/.oci-unpack`,
      manifestDigest,
      link: `${pool}/selected`,
      oldBundle: `${pool}/one`,
      oldRootfs: `${pool}/one/rootfs`,
      oldManifestDigest: manifestDigest
    })
  })

  test('may select elsewhere and prune', async () => {
    await select('one')
    const hooks: More['hooks'] = {
      selected: async () => {
        await pruneBundles({ directory: pool, keep: 1, jobs: 0 })
      }
    }
    await select('two', { hooks })
    // the old one is needed until all is done
    expect(fs.readdirSync(pool).sort()).toEqual(['one', 'selected', 'three', 'two'])
  })

  test('that fail leave the old one selected', async () => {
    await select('one')
    const told: Told[] = []
    const events: EngineEvent[] = []
    const onEvent = (event: EngineEvent): void => void events.push(event)
    expect(await codeOf(select('two', { hooks: telling(told, fails), onEvent }))).toBe(
      'HOOK_FAILED'
    )
    expect(told).toMatchObject([{ link: 'two' }])
    expect([selected(), links()]).toEqual(['one', ['selected']])
    const warnings = events.filter(({ type }) => type === 'warning')
    expect(warnings).toMatchObject([{ facts: { path: `${pool}/selected` } }])
  })

  test('that fail for the first one leave nothing selected', async () => {
    expect(await codeOf(select('one', { hooks: telling([], fails) }))).toBe('HOOK_FAILED')
    expect(links()).toEqual([])
  })

  test('that fail when they have deleted the old one leave the new one selected', async () => {
    await select('one')
    const hooks = telling([], () => {
      fs.rmSync(`${pool}/one`, { recursive: true })
      fails()
    })
    expect(await codeOf(select('two', { hooks }))).toBe('HOOK_FAILED')
    expect([selected(), links()]).toEqual(['two', ['selected']])
  })

  test('that fail where a link led nowhere leave it as it was', async () => {
    fs.symlinkSync('nowhere', `${pool}/selected`)
    expect(await codeOf(select('two', { hooks: telling([], fails) }))).toBe('HOOK_FAILED')
    expect([selected(), links()]).toEqual(['nowhere', ['selected']])
  })

  test('that fail again for the selected one leave it selected', async () => {
    await select('one')
    expect(await codeOf(select('one', { hooks: telling([], fails) }))).toBe('HOOK_FAILED')
    expect([selected(), links()]).toEqual(['one', ['selected']])
  })

  test('that fail undo nothing that others did meanwhile', async () => {
    await select('one')
    const hooks: More['hooks'] = {
      selected: async () => {
        await select('three')
        fails()
      }
    }
    expect(await codeOf(select('two', { hooks }))).toBe('HOOK_FAILED')
    expect([selected(), links()]).toEqual(['three', ['selected']])
  })

  test('work one after the other', async () => {
    const log: string[] = []
    const hooks: More['hooks'] = {
      selected: async ({ bundle }) => {
        log.push(`begin ${bundle}`)
        await setTimeout(50)
        log.push(`end ${bundle}`)
      }
    }
    await Promise.all(['one', 'two'].map((name) => select(name, { hooks })))
    const [first, second] = [log[0]!.slice(6), log[2]!.slice(6)]
    expect(log).toEqual([`begin ${first}`, `end ${first}`, `begin ${second}`, `end ${second}`])
    expect(`${pool}/${selected()}`).toBe(second)
  })
})

describe('a kill', () => {
  let toml: string
  beforeEach(() => {
    toml = `${work}/hooks.toml`
    const script = `echo "$OCI_UNPACK_BUNDLE $OCI_UNPACK_OLD_BUNDLE" >>${work}/told; sleep 0.3; echo end >>${work}/told`
    const command = JSON.stringify(['/bin/sh', '-c', script])
    fs.writeFileSync(toml, `version = 1\n[bundle.selected]\ncommand = ${command}\n`)
    fs.writeFileSync(`${work}/told`, '')
  })

  const told = (): string[] => fs.readFileSync(`${work}/told`, 'utf8').split('\n').slice(0, -1)

  /** Starts to select, and kills it at a moment. */
  async function killed(name: string, moment: () => Promise<unknown>): Promise<void> {
    const [node, main] = ociUnpackCommand
    const flags = ['bundle', 'select', '--hooks', toml, `${pool}/${name}`]
    const child = spawn(node, [main, ...flags], { stdio: 'ignore' })
    const exit = once(child, 'exit')
    await moment()
    child.kill('SIGKILL')
    await exit
  }

  test('while hooks work is finished by selecting again, after them', async () => {
    await select('one')
    await killed('two', () => expect.poll(told, { interval: 5, timeout: 20_000 }).toHaveLength(1))
    expect(selected()).toBe('two')
    const [one, , two] = await listBundles({ directory: pool, jobs: 0 })
    expect([one!.selectedBy, two!.selectedBy]).toEqual([['.selected.before'], ['selected']])
    await select('two', { hooks: { file: toml } })
    const call = `${pool}/two ${pool}/one`
    expect(told()).toEqual([call, 'end', call, 'end'])
    expect([selected(), links()]).toEqual(['two', ['selected']])
  })

  test('leaves the old one selected, or the new one', async () => {
    await select('one')
    for (let delay = 40; delay <= 240; delay += 40) {
      const [from, to] = [selected(), selected() === 'one' ? 'two' : 'one']
      await killed(to, () => setTimeout(delay))
      expect([from, to]).toContain(selected())
      await select(to)
      expect([selected(), links()]).toEqual([to, ['selected']])
    }
  })
})
