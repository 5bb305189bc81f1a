/** Ten processes that change one layout at the same time, by every operation that there is, beside the command line. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { library, libraryFile } from '../support/dist.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand, ociUnpackOk } from './cli.ts'

const PROCESSES = 10
const ROUNDS = 2

const program = new URL('programs/mutate-layout.mjs', import.meta.url).pathname
const start = promisify(execFile)

describe.runIf(needs('root'))('ten processes that change one layout', () => {
  let work: string
  let layout: string
  /** By tag, of all processes. */
  let made: Record<string, string>

  beforeAll(async () => {
    work = makeTemporary()
    layout = `${work}/layout`
    const common = buildImage(`${work}/common`, { layers: [tar(file('common', 'to all'))] })
    ociUnpackOk('init', '--layout', layout)
    const everybody = Array.from({ length: PROCESSES }, (_, number) =>
      mutate(number, common.reference)
    )
    await Promise.all([...everybody, readers()]).finally(() => Promise.allSettled(everybody))
    made = Object.assign({}, ...(await Promise.all(everybody))) as Record<string, string>
  })
  afterAll(() => removeTemporary(work))

  async function mutate(number: number, common: string): Promise<Record<string, string>> {
    const own = `${work}/own-${number}.tar`
    writeFileSync(own, tar(directory('etc/'), file('own', `of ${number}, `)))
    const task = { library: libraryFile, layout, home: work, own, common, rounds: ROUNDS }
    const { stdout } = await start(process.execPath, [program, JSON.stringify(task)])
    return JSON.parse(stdout) as Record<string, string>
  }

  /** The command line fails on nothing that it meets on the way. */
  async function readers(): Promise<void> {
    const [node, main] = ociUnpackCommand
    for (const args of [['ls', '--long'], ['verify'], ['ls', '--json'], ['gc', '--dry-run']])
      await start(node, [main, ...args, '--layout', layout])
  }

  test('lose no tag, and add none', async () => {
    const tags = await library.listLayout({ layout })
    expect(tags.toSorted()).toEqual(Object.keys(made).toSorted())
    expect(tags).toHaveLength(PROCESSES * (ROUNDS * 4 + 1))
  })

  test('leave each tag with what its process made', async () => {
    const images = await library.listImages({ layout })
    expect(
      Object.fromEntries(images.map(({ tag, descriptor }) => [tag, descriptor.digest]))
    ).toEqual(made)
    const repacked = Object.keys(made).filter((tag) => tag.endsWith('.repacked'))
    expect(repacked).toHaveLength(PROCESSES * ROUNDS)
    for (const tag of repacked.filter((it) => it.includes('.1.'))) {
      const destination = `${work}/${tag}-again`
      await library.unpackRootfs({ image: `${layout}:${tag}`, destination, jobs: 0 })
      expect(readFileSync(`${destination}/own`, 'utf8')).toMatch(new RegExp(`^of \\d, ${tag}$`))
    }
  })

  test.each(['before', 'after'])('leave a whole layout, %s a collection', () => {
    ociUnpackOk('verify', '--layout', layout)
    expect(readdirSync(layout).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout'])
    for (const name of readdirSync(`${layout}/blobs/sha256`)) expect(name).toMatch(/^[0-9a-f]{64}$/)
    ociUnpackOk('gc', '--layout', layout)
    expect(ociUnpackOk('gc', '--dry-run', '--layout', layout).stdout).toBe('0 blobs, 0B\n')
  })
})
