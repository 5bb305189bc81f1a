import { execFile, spawnSync, execFileSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { rewriteImage } from '../../src/image/rewrite.ts'
import { listTags, withTag } from '../../src/image/tags.ts'
import type { ImageIndex } from '../../src/image/types.ts'
import { parsePlatform } from '../../src/image/platform.ts'
import { storeImage, updateIndex } from '../../src/store/index-update.ts'
import { openLayout } from '../../src/store/layout.ts'
import { readIndexes, resolveImage } from '../../src/store/resolve.ts'
import { openWorkspace, type Workspace } from '../../src/store/layout-workspace.ts'
import { tryLock } from '../../src/sys/lock.ts'
import { noPause } from '../support/no-pause.ts'
import { buildLayout, LINUX, type TestLayout } from './build-layout.ts'

const hasUmoci = spawnSync('umoci', ['--version']).status === 0
const run = promisify(execFile)

let built: TestLayout
let workspace: Workspace
beforeEach(async () => {
  built = buildLayout()
  workspace = await openWorkspace(built.path, noPause)
})
afterEach(() => {
  workspace.close()
  built.remove()
})

const file = (): string => join(built.path, 'index.json')

describe('updateIndex', () => {
  test('keeps unknown fields and big integers of the index and of other entries', async () => {
    const other = JSON.stringify(built.image()).replace('{', '{"x":9223372036854775807,')
    writeFileSync(file(), `{"schemaVersion":2,"y":-9223372036854775808,"manifests":[${other}]}`)
    const image = built.image({ layers: ['other'] })
    await updateIndex(workspace, (index) => withTag(index, 't', image), noPause)
    const text = readFileSync(file(), 'utf8')
    expect(text).toContain('"x":9223372036854775807')
    expect(text).toContain('"y":-9223372036854775808')
    expect(listTags(openLayout(built.path).readIndex())).toEqual(['t'])
  })

  test('leaves the index alone where the edit fails', async () => {
    const before = readFileSync(file())
    const inode = statSync(file()).ino
    const fail = () => {
      throw new Error('no')
    }
    await expect(updateIndex(workspace, fail, noPause)).rejects.toThrow('no')
    expect(readFileSync(file())).toEqual(before)
    expect(statSync(file()).ino).toBe(inode)
  })

  test('refuses to replace an index that it cannot read', async () => {
    writeFileSync(file(), '{"schemaVersion":2,"manifests":{}}')
    await expect(updateIndex(workspace, (index) => index, noPause)).rejects.toMatchObject({
      code: 'DOCUMENT_INVALID'
    })
    expect(readFileSync(file(), 'utf8')).toBe('{"schemaVersion":2,"manifests":{}}')
  })

  test('keeps entries of other tools that nobody can use', async () => {
    const odd = { mediaType: 'a/b', digest: 'sha256:no', size: '5', x: 1 }
    writeFileSync(file(), JSON.stringify({ manifests: [odd] }))
    await updateIndex(workspace, (index) => withTag(index, 't', built.image()), noPause)
    const { schemaVersion, manifests } = JSON.parse(readFileSync(file(), 'utf8')) as ImageIndex
    expect(schemaVersion).toBe(2)
    expect(manifests).toHaveLength(2)
    expect(manifests[0]).toEqual(odd)
  })

  test('leaves the index alone where nobody wants to wait for another to finish', async () => {
    const held = openSync(built.path, 'r')
    const pauses: (() => Promise<void>)[] = [
      () => Promise.resolve(),
      () => Promise.reject(new Error('enough'))
    ]
    expect(tryLock(held, 'exclusive')).toBe(true)
    const edit = vi.fn((index: ImageIndex) => index)
    const update = updateIndex(workspace, edit, () => pauses.shift()!())
    await expect(update).rejects.toThrow('enough')
    expect(edit).not.toHaveBeenCalled()
    closeSync(held)
  })

  test('loses nothing when ten processes tag one layout at once', async () => {
    const descriptor = built.image()
    const dist = new URL('../../build/', import.meta.url)
    if (!existsSync(dist)) throw new Error('other processes run what is built: npm run build')
    const script = `
      import { updateIndex } from '${dist.href}store/index-update.js'
      import { openWorkspace } from '${dist.href}store/layout-workspace.js'
      import { withTag } from '${dist.href}image/tags.js'
      const pause = () => new Promise((resolve) => setTimeout(resolve, 1))
      const workspace = await openWorkspace(process.argv[1], pause)
      for (let round = 0; round < 5; round++) {
        const tag = process.argv[2] + '.' + round
        await updateIndex(workspace, (index) => withTag(index, tag, ${JSON.stringify(descriptor)}), pause)
      }
      workspace.close()`
    const processes = Array.from({ length: 10 }, (_item, number) =>
      run(process.execPath, ['--input-type=module', '-e', script, built.path, `p${number}`])
    )
    await Promise.all(processes)
    const tags = listTags(openLayout(built.path).readIndex())
    const expected = Array.from({ length: 50 }, (_item, n) => `p${Math.floor(n / 5)}.${n % 5}`)
    expect(tags.toSorted()).toEqual(expected.toSorted())
    workspace.close()
    expect(readdirSync(built.path).filter((name) => name.startsWith('.'))).toEqual([])
  })
})

describe('storeImage', () => {
  test('moves the tag to the rewritten image, with the indexes above it', async () => {
    const arm = parsePlatform('linux/arm64')
    const leaf = (platform = LINUX) => ({ ...built.image({ platform }), platform })
    built.tag({ t: built.index([leaf(arm), built.index([leaf()])]) })
    const layout = openLayout(built.path)
    const image = resolveImage(layout, 't', LINUX)
    const indexes = readIndexes(layout, image.descriptorPath)
    expect(indexes).toHaveLength(2)
    const rewritten = rewriteImage(
      { ...image, indexes },
      { config: (config) => ({ ...config, author: 'somebody' }) }
    )
    await storeImage(workspace, rewritten, 'new', noPause)
    expect(resolveImage(layout, 'new', LINUX).config.author).toBe('somebody')
    expect(resolveImage(layout, 'new', arm).config).not.toHaveProperty('author')
    expect(resolveImage(layout, 't', LINUX).config).not.toHaveProperty('author')
  })

  test('leaves the tag where it was when a blob cannot be stored', async () => {
    built.tag({ t: built.image() })
    const image = resolveImage(openLayout(built.path), 't')
    const rewritten = rewriteImage({ ...image, indexes: [] }, { history: { comment: 'x' } })
    const before = readFileSync(file())
    const name = readdirSync(built.path).find((found) => found.startsWith('.umoci-'))!
    rmSync(join(built.path, name), { recursive: true })
    await expect(storeImage(workspace, rewritten, 't', noPause)).rejects.toMatchObject({
      code: 'SYSCALL_FAILED'
    })
    expect(readFileSync(file())).toEqual(before)
  })

  test.skipIf(!hasUmoci)(
    'makes images that umoci reads and keeps (skipped: no umoci)',
    async () => {
      built.tag({ t: built.image() })
      const layout = openLayout(built.path)
      const rewritten = rewriteImage(
        { ...resolveImage(layout, 't'), indexes: [] },
        { history: { created: '2026-01-01T00:00:00Z', created_by: '<us> & them' } }
      )
      await storeImage(workspace, rewritten, 'new', noPause)
      expect(umoci('ls', '--layout', built.path)).toBe('t\nnew\n')
      umoci('gc', '--layout', built.path)
      const stat = JSON.parse(umoci('stat', '--json', '--image', `${built.path}:new`)) as {
        history: unknown
      }
      expect(stat.history).toMatchObject([{ created_by: '<us> & them', empty_layer: true }])
      expect(resolveImage(layout, 't').manifest.layers).toHaveLength(1)
    }
  )

  function umoci(...args: string[]): string {
    return execFileSync('umoci', args, { encoding: 'utf8' })
  }
})
