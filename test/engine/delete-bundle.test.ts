import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { UnpackHooks } from '../../src/index.ts'
import { tryLock } from '../../src/sys/lock.ts'
import { library } from '../support/dist.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { codeOf, inScratch, optionsFor } from './support.ts'
import { chainStore } from './storage/directory-store.ts'

const LAYERS = [tar(directory('etc/'), file('etc/a', 'one'))]

interface Made {
  work: string
  bundle: string
  hooks: UnpackHooks
  /** Bundles that the delete hook was called for. */
  deleted: string[]
}

async function withMade(
  act: (made: Made) => Promise<void>,
  more: Partial<UnpackHooks> = {}
): Promise<void> {
  await inScratch(async (work) => {
    const deleted: string[] = []
    const { hooks } = chainStore(`${work}/store`, {
      delete: ({ bundle }) => void deleted.push(bundle),
      ...more
    })
    const options = optionsFor(work, LAYERS)
    await library.unpack({ ...options, hooks })
    await act({ work, bundle: options.destination, hooks, deleted })
  })
}

describe.runIf(needs('root'))('deleting a bundle that hooks made', () => {
  test('calls their hook and removes everything', async () => {
    await withMade(async ({ bundle, hooks, deleted }) => {
      await library.deleteBundle({ bundle, hooks })
      expect(deleted).toEqual([bundle])
      expect(fs.existsSync(bundle)).toBe(false)
    })
  })

  test('takes no directory for a bundle only because of a name in it', async () => {
    await inScratch(async (work) => {
      fs.mkdirSync(`${work}/mine/.oci-unpack`, { recursive: true })
      fs.mkdirSync(`${work}/mine/rootfs/precious`, { recursive: true })
      expect(await codeOf(library.deleteBundle({ bundle: `${work}/mine` }))).toBe('BUNDLE_INVALID')
      expect(fs.readdirSync(`${work}/mine/rootfs`)).toEqual(['precious'])
    })
  })

  test('leaves what others put there', async () => {
    await withMade(async ({ bundle, hooks }) => {
      fs.writeFileSync(`${bundle}/notes`, 'mine')
      await library.deleteBundle({ bundle, hooks })
      expect(fs.readdirSync(bundle)).toEqual(['notes'])
      expect(await codeOf(library.deleteBundle({ bundle, hooks }))).toBe('BUNDLE_INVALID')
      expect(fs.readdirSync(bundle)).toEqual(['notes'])
    })
  })

  test('needs those hooks, and touches nothing without', async () => {
    await withMade(async ({ work, bundle, deleted }) => {
      const before = fs.readdirSync(bundle)
      const others = { ...chainStore(`${work}/other`).hooks, name: 'others' }
      expect(await codeOf(library.deleteBundle({ bundle }))).toBe('USAGE')
      expect(await codeOf(library.deleteBundle({ bundle, hooks: others }))).toBe('USAGE')
      expect(fs.readdirSync(bundle)).toEqual(before)
      expect(deleted).toEqual([])
    })
  })

  test('leaves a whole bundle when the hook fails', async () => {
    let failing = true
    const hook = (): undefined => {
      if (failing) throw new Error('somebody works in it')
      return undefined
    }
    await withMade(
      async ({ bundle, hooks }) => {
        expect(await codeOf(library.deleteBundle({ bundle, hooks }))).toBe('HOOK_FAILED')
        expect(await library.diff({ bundle })).toEqual([])
        expect(fs.existsSync(`${bundle}/.oci-unpack/unfinished`)).toBe(false)
        failing = false
        await library.deleteBundle({ bundle, hooks })
        expect(fs.existsSync(bundle)).toBe(false)
      },
      { delete: hook }
    )
  })

  test.each([
    ['rootfs', ['rootfs']],
    ['rootfs and metadata', ['rootfs', 'umoci.json', 'config.json']]
  ])('goes on where one was stopped after %s', async (_name, gone) => {
    await withMade(async ({ bundle, hooks, deleted }) => {
      const walk = JSON.parse(fs.readFileSync(`${bundle}/umoci.json`, 'utf8')) as Metadata
      const { digest } = walk.from_descriptor_path.descriptor_walk.at(-1)!
      fs.writeFileSync(`${bundle}/.oci-unpack/unfinished`, digest)
      for (const name of gone) fs.rmSync(`${bundle}/${name}`, { recursive: true })
      await library.deleteBundle({ bundle, hooks })
      expect(deleted).toEqual([bundle])
      expect(fs.existsSync(bundle)).toBe(false)
    })
  })

  test('waits for nobody who is making it', async () => {
    await withMade(async ({ bundle, hooks }) => {
      fs.writeFileSync(`${bundle}/.oci-unpack/unfinished`, '')
      const fd = fs.openSync(bundle, 'r')
      try {
        expect(tryLock(fd, 'exclusive')).toBe(true)
        expect(await codeOf(library.deleteBundle({ bundle, hooks }))).toBe('BUNDLE_EXISTS')
        expect(fs.existsSync(`${bundle}/rootfs/etc/a`)).toBe(true)
      } finally {
        fs.closeSync(fd)
      }
    })
  })

  test('never enters what is mounted in it, not even on the same file system', async () => {
    await withMade(async ({ work, bundle, hooks }) => {
      const home = `${work}/home dir`
      fs.mkdirSync(home)
      fs.writeFileSync(`${home}/precious`, '')
      ok('mount', '--bind', home, `${bundle}/rootfs/etc`)
      try {
        expect(await codeOf(library.deleteBundle({ bundle, hooks }))).toBe('BUNDLE_BUSY')
      } finally {
        ok('umount', `${bundle}/rootfs/etc`)
      }
      expect(fs.readdirSync(home)).toEqual(['precious'])
      expect(fs.existsSync(`${bundle}/umoci.json`)).toBe(true)
      await library.deleteBundle({ bundle, hooks })
    })
  })
})

describe('deleting a plain bundle', () => {
  test('asks no hooks', async () => {
    await inScratch(async (work) => {
      const options = optionsFor(work, LAYERS)
      await library.unpack(options)
      await library.deleteBundle({ bundle: options.destination })
      expect(fs.existsSync(options.destination)).toBe(false)
    })
  })

  test.runIf(needs('root', 'umoci'))('works on one that umoci made', async () => {
    await inScratch(async (work) => {
      const options = optionsFor(work, LAYERS)
      ok('umoci', 'unpack', '--image', options.image, `${work}/theirs`)
      await library.deleteBundle({ bundle: `${work}/theirs` })
      expect(fs.existsSync(`${work}/theirs`)).toBe(false)
    })
  })

  test.each([
    ['nothing', (): void => undefined],
    ['a file', (path: string) => fs.writeFileSync(path, '')],
    [
      'a directory of something else',
      (path: string): void => {
        fs.mkdirSync(`${path}/rootfs`, { recursive: true })
      }
    ]
  ])('refuses %s', async (_name, make) => {
    await inScratch(async (work) => {
      const path = `${work}/it`
      make(path)
      expect(await codeOf(library.deleteBundle({ bundle: path }))).toBe('BUNDLE_INVALID')
    })
  })
})

interface Metadata {
  from_descriptor_path: { descriptor_walk: { digest: string }[] }
}
