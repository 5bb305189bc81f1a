/** `gc` beside Debian's umoci, and beside other work in the layout. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { library } from '../support/dist.ts'
import { blobPath, buildImage, sha256, type BuiltImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok, run } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'

let work: string
let built: BuiltImage

beforeEach(() => {
  work = makeTemporary()
  built = buildImage(`${work}/layout`, { layers: [tar(file('a', 'a'))] })
})
afterEach(() => removeTemporary(work))

function blobs(layout = built.layout): string[] {
  return readdirSync(`${layout}/blobs/sha256`).sort()
}

/** A blob that nothing leads to. */
function loose(content: string, layout = built.layout): string {
  const bytes = Buffer.from(content)
  const digest = sha256(bytes)
  writeFileSync(blobPath(layout, { mediaType: '', digest, size: bytes.length }), bytes)
  return digest
}

describe.runIf(needs('umoci'))('gc', () => {
  test('leaves what umoci leaves, and says as little', () => {
    const theirs = `${work}/theirs`
    ociUnpackOk('new', '--image', `${built.layout}:other`)
    ociUnpackOk('tag', '--image', built.reference, 'kept')
    ociUnpackOk('rm', '--image', built.reference)
    ociUnpackOk('rm', '--image', `${built.layout}:other`)
    loose('x')
    mkdirSync(`${built.layout}/.umoci-dead`)
    ok('cp', '-a', built.layout, theirs)
    expect(ociUnpackOk('gc', '--layout', built.layout)).toEqual(
      run('umoci', 'gc', '--layout', theirs)
    )
    expect(blobs()).toEqual(blobs(theirs))
    expect(blobs()).toHaveLength(3)
    expect(readdirSync(built.layout)).toEqual(readdirSync(theirs))
    expect(ociUnpackOk('ls', '--layout', built.layout).stdout).toBe('kept\n')
  })

  test.each([[[]], [['--layout', '/nowhere']], [['--layout', 'a:b']], [['x']]])(
    'refuses %j as umoci does',
    (args) => {
      expect(ociUnpack('gc', ...args).status).toBe(run('umoci', 'gc', ...args).status)
    }
  )
})

test('--dry-run says what would go and removes nothing; --list and --json say what went', () => {
  const digests = [loose('x'.repeat(1500)), loose('yy')].sort()
  const before = blobs()
  const dry = ociUnpackOk('gc', '--dry-run', '--layout', built.layout).stdout
  expect(dry.split('\n').sort()).toEqual(
    ['', '2 blobs, 1.502kB', ...digests.map((it) => expect.stringContaining(it) as string)].sort()
  )
  expect(blobs()).toEqual(before)
  expect(ociUnpackOk('gc', '--list', '--layout', built.layout).stdout).toBe(dry)
  expect(blobs()).toHaveLength(3)
  const digest = loose('zzz')
  expect(JSON.parse(ociUnpackOk('gc', '--json', '--layout', built.layout).stdout)).toEqual({
    dryRun: false,
    blobs: [{ digest, size: 3 }],
    workspaces: []
  })
})

describe.runIf(needs('root'))('beside other work', () => {
  /** Removes the only tag and starts a collection that has to wait. */
  function collectUntagged(): Promise<{ waited: boolean; count: number }> {
    let waited = false
    void library.removeTag({ image: built.reference })
    const onWait = (): void => void (waited = true)
    return library
      .collectGarbage({ layout: built.layout, onWait })
      .then(({ blobs: removed }) => ({ waited, count: removed.length }))
  }

  test('an unpack keeps its image until it ends', async () => {
    let collection: ReturnType<typeof collectUntagged> | undefined
    await library.unpack({
      image: built.reference,
      destination: `${work}/bundle`,
      onEvent(event) {
        if (event.type === 'image') collection = collectUntagged()
      }
    })
    expect(existsSync(`${work}/bundle/rootfs/a`)).toBe(true)
    expect(await collection).toEqual({ waited: true, count: 3 })
    expect(blobs()).toEqual([])
  })

  test('a repack keeps its base and its new layer until the tag names them', async () => {
    await library.unpack({ image: built.reference, destination: `${work}/bundle` })
    writeFileSync(`${work}/bundle/rootfs/b`, 'b')
    let collection: ReturnType<typeof collectUntagged> | undefined
    await library.repack({
      image: `${built.layout}:new`,
      bundle: `${work}/bundle`,
      onEvent(event) {
        if (event.type === 'phase' && event.phase === 'compare') collection = collectUntagged()
      }
    })
    expect(await collection).toEqual({ waited: true, count: 2 })
    await library.unpackRootfs({ image: `${built.layout}:new`, destination: `${work}/again` })
    expect(readdirSync(`${work}/again`).sort()).toEqual(['a', 'b'])
  })

  test('an insert keeps its base', async () => {
    const options = { image: built.reference, tag: 'new', archive: archive() }
    const adding = library.addLayerArchive(options)
    const collection = collectUntagged()
    await adding
    await collection
    await library.unpackRootfs({ image: `${built.layout}:new`, destination: `${work}/again` })
    expect(readdirSync(`${work}/again`).sort()).toEqual(['a', 'more'])
  })

  test('the waiting can be stopped', async () => {
    const controller = new AbortController()
    const collecting: Promise<unknown>[] = []
    await library.unpack({
      image: built.reference,
      destination: `${work}/bundle`,
      onEvent(event) {
        if (event.type !== 'image') return
        const { signal } = controller
        const onWait = (): void => controller.abort()
        const collection = library.collectGarbage({ layout: built.layout, signal, onWait })
        collecting.push(expect(collection).rejects.toMatchObject({ code: 'ABORTED' }))
      }
    })
    await Promise.all(collecting)
    expect(collecting).toHaveLength(1)
  })

  function archive(): string {
    writeFileSync(`${work}/more.tar`, tar(file('more', 'x'.repeat(100))))
    return `${work}/more.tar`
  }
})
