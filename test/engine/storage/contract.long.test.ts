/** What every storage promises, whatever it is made of: src/engine/storage/layer-storage.ts. */
import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Job } from '../../../src/engine/extract/job.ts'
import { directoryOf } from '../../../src/engine/extract/layer-places.ts'
import type { NewBundle } from '../../../src/engine/storage/layer-storage.ts'
import type { UnpackHooks } from '../../../src/index.ts'
import { snapshot } from '../../reference/snapshot.ts'
import { library, libraryFile } from '../../support/dist.ts'
import { failure } from '../../support/failure.ts'
import { blobPath, buildImage } from '../../support/image-builder.ts'
import { needs } from '../../support/requires.ts'
import { codeOf, recorder } from '../support.ts'
import { extractAll, inNewBundle, inStorage, kill, LAYERS } from './in-storage.ts'
import { stagedIn, TENANTS } from './tenants.ts'

describe.runIf(needs('root', 'overlay', 'mount')).each(TENANTS)('$name', (tenant) => {
  test.each([0, 2])('makes the tree of the image, with %i threads', (jobs) =>
    inStorage(tenant, async ({ options, expected, bundle }) => {
      await library.unpack({ ...options, jobs })
      expect(snapshot(`${bundle}/rootfs`)).toBe(expected)
      const names = fs.readdirSync(bundle).map((name) => name.replace(/^sha256_.*\./, 'memory.'))
      const files = ['config.json', 'memory.fingerprints', 'memory.mtree', 'rootfs', 'umoci.json']
      expect(names.filter((name) => name !== '.oci-unpack').sort()).toEqual(files)
    })
  )

  test(`extracts layers ${tenant.keeps ? 'once' : 'for each bundle'}`, () =>
    inStorage(tenant, async ({ options, expected, bundle }) => {
      await library.unpack(options)
      const again = `${bundle}-again`
      const { events, onEvent } = recorder()
      await library.unpack({ ...options, destination: again, onEvent })
      const read = events.filter(({ type }) => type === 'layer')
      expect(read).toHaveLength(tenant.keeps ? 0 : LAYERS.length)
      expect(snapshot(`${again}/rootfs`)).toBe(expected)
    }))

  test('leaves nothing where a layer is not what it should be, and goes well afterwards', () =>
    inStorage(tenant, async ({ work, path, options, expected, bundle }) => {
      const broken = buildImage(`${work}/broken`, { layers: LAYERS })
      fs.appendFileSync(blobPath(broken.layout, broken.layers[1]!), 'more')
      const failing = library.unpack({ ...options, image: broken.reference })
      expect(await codeOf(failing)).not.toBe('no failure')
      expect(fs.readdirSync(`${work}/bundles`)).toEqual([])
      expect(stagedIn(path)).toEqual([])
      await library.unpack(options)
      expect(snapshot(`${bundle}/rootfs`)).toBe(expected)
    }))

  const moments: [string, (job: Job, bundle: NewBundle, missing: readonly number[]) => unknown][] =
    [
      ['after find', () => undefined],
      ['after stage', (_job, bundle, [lowest]) => bundle.stage(lowest!)],
      ['after commit', extractAll],
      [
        'after show',
        async (job, bundle, missing) => {
          await extractAll(job, bundle, missing)
          await bundle.show()
        }
      ]
    ]
  test.each(moments)('undoes by abort what was begun, %s', (_moment, reach) =>
    inStorage(tenant, async ({ work, path, options, expected, bundle }) => {
      const stopped = inNewBundle(options, async (job, made) => {
        await reach(job, made, (await made.find())!)
        await made.abort()
        await made.abort()
        throw new Error('stopped')
      })
      await expect(stopped).rejects.toThrow('stopped')
      expect(fs.readdirSync(`${work}/bundles`)).toEqual([])
      expect(stagedIn(path)).toEqual([])
      await library.unpack(options)
      expect(snapshot(`${bundle}/rootfs`)).toBe(expected)
    })
  )

  test.runIf(tenant.keeps)('leaves nothing where a commit fails, and goes well afterwards', () =>
    inStorage(tenant, async ({ work, path, options, expected, bundle }) => {
      const hooks: UnpackHooks = {
        ...tenant.hooks(path)!,
        postExtract({ index }) {
          if (index === 1) throw new Error('the disk is full')
          return undefined
        }
      }
      expect(await codeOf(library.unpack({ ...options, hooks }))).toBe('HOOK_FAILED')
      expect(fs.readdirSync(`${work}/bundles`)).toEqual([])
      await library.unpack(options)
      expect(stagedIn(path)).toEqual([])
      expect(snapshot(`${bundle}/rootfs`)).toBe(expected)
    })
  )

  test('finds what was committed before a failure, if it keeps layers', () =>
    inStorage(tenant, async ({ options }) => {
      const stopped = inNewBundle(options, async (job, bundle) => {
        await extractAll(job, bundle, (await bundle.find())!)
        await bundle.abort()
        throw new Error('stopped')
      })
      await expect(stopped).rejects.toThrow('stopped')
      let missing: readonly number[] | undefined
      const looked = inNewBundle(options, async (_job, bundle) => {
        missing = await bundle.find()
        throw new Error('looked')
      })
      await expect(looked).rejects.toThrow('looked')
      expect(missing).toEqual(tenant.keeps ? undefined : [0, 1, 2])
    }))

  test.each(['layer', 'manifest', 'publish'])(
    'takes over from a process that was killed (%s)',
    (at) =>
      inStorage(tenant, async ({ work, path, options, expected, bundle }) => {
        const { image, destination } = options
        const killed = { image, destination, jobs: 0 }
        kill(work, { library: libraryFile, tenant: tenant.name, path, options: killed, at })
        await library.unpack(options)
        expect(snapshot(`${bundle}/rootfs`)).toBe(expected)
        expect(fs.readdirSync(`${work}/bundles`)).toEqual(['made'])
        expect(stagedIn(path)).toEqual([])
      })
  )

  test('tells what has changed, and is told of a refresh', () =>
    inStorage(tenant, async ({ work, path, options, bundle }) => {
      await library.unpack(options)
      const { hooks } = options
      const layout = `${work}/layout`
      const repack = (tag: string): ReturnType<typeof library.repack> =>
        library.repack({
          image: `${layout}:${tag}`,
          bundle,
          refreshBundle: true,
          ...(hooks === undefined ? {} : { hooks })
        })
      fs.writeFileSync(`${bundle}/rootfs/etc/b`, 'changed')
      fs.rmSync(`${bundle}/rootfs/link`)
      fs.writeFileSync(`${path}/delta`, 'etc/b\nlink\n.\n')
      expect((await repack('one')).layer).toBeDefined()
      fs.writeFileSync(`${path}/delta`, '')
      expect((await repack('two')).layer).toBeUndefined()
      const plain = `${work}/plain`
      await library.unpackRootfs({ image: `${layout}:one`, destination: plain })
      expect(snapshot(plain)).toBe(snapshot(`${bundle}/rootfs`))
    }))

  test('has nothing to mount where the root file system is a directory', () =>
    inStorage(tenant, async ({ options, expected, bundle }) => {
      await library.unpack(options)
      const { hooks } = options
      const choice = hooks === undefined ? { bundle } : { bundle, hooks }
      await library.umountBundle(choice)
      await library.mountBundle(choice)
      expect(snapshot(`${bundle}/rootfs`)).toBe(expected)
    }))

  test('removes a bundle once, and no layer with it', () =>
    inStorage(tenant, async ({ work, options, bundle }) => {
      await library.unpack(options)
      const { hooks } = options
      const remove = (): Promise<void> =>
        library.deleteBundle({ bundle, ...(hooks === undefined ? {} : { hooks }) })
      await remove()
      expect(fs.readdirSync(`${work}/bundles`)).toEqual([])
      expect(await codeOf(remove())).toBe('BUNDLE_INVALID')
      const { events, onEvent } = recorder()
      await library.unpack({ ...options, onEvent })
      const read = events.filter(({ type }) => type === 'layer')
      expect(read).toHaveLength(tenant.keeps ? 0 : LAYERS.length)
    }))

  test(tenant.keeps ? 'collects the layers that no image needs' : 'has no layers to collect', () =>
    inStorage(tenant, async ({ work, options, bundle }) => {
      await library.unpack(options)
      const kept = buildImage(`${work}/kept`, { layers: LAYERS.slice(0, 1) })
      const collect = library.collectStore({
        layouts: [kept.layout],
        hooks: options.hooks ?? { file: `${work}/none` }
      })
      if (!tenant.keeps) {
        expect(await codeOf(collect)).toBe('HOOKS_INVALID')
        return
      }
      await collect
      const { events, onEvent } = recorder()
      await library.unpack({ ...options, destination: `${bundle}-again`, onEvent })
      const read = events.flatMap((event) => (event.type === 'layer' ? [event.layer] : []))
      expect(read.sort()).toEqual([1, 2])
    })
  )
})

test('a place that is not a directory is refused by what can only use directories', () => {
  const place = { kind: 'image', path: '/layers/one', format: 'erofs' } as const
  expect(failure(() => directoryOf(place))).toMatchObject({
    code: 'TARGET_INVALID',
    facts: { path: '/layers/one', found: 'erofs image' }
  })
  expect(directoryOf({ kind: 'directory', path: '/layers/two' })).toBe('/layers/two')
})
