import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { library } from '../support/dist.ts'
import { blobPath, buildImage, sha256 } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { file, tar } from '../support/tar-builder.ts'
import { codeOf, inScratch, optionsFor } from './support.ts'
import { chainStore } from './storage/directory-store.ts'

const BASE = tar(file('base'))
const ABOVE = tar(file('above'))
const OTHER = tar(file('other'))

/** Image-spec config.md, Layer ChainID. */
function chainOf(below: string, diffId: string): string {
  return `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}`
}

describe.runIf(needs('root'))('collecting layers', () => {
  test('tells the hook of every layer of every image', async () => {
    await inScratch(async (work) => {
      buildImage(`${work}/one`, { layers: [BASE, ABOVE] })
      buildImage(`${work}/two`, { layers: [BASE, OTHER] })
      const told: string[][] = []
      const { hooks } = chainStore(`${work}/store`, {
        gc: ({ liveKeys }) => void told.push([...liveKeys])
      })
      const layouts = [`${work}/one`, `${work}/two`]
      const result = await library.collectStore({ layouts, hooks })
      const base = sha256(BASE)
      const live = [base, chainOf(base, sha256(ABOVE)), chainOf(base, sha256(OTHER))]
      expect(told).toEqual([live])
      expect(result).toEqual({ hooks: 'directories', liveKeys: live })
    })
  })

  test('removes nothing where an image cannot be read, or no layout is named', async () => {
    await inScratch(async (work) => {
      const { config, layout } = buildImage(`${work}/layout`, { layers: [BASE] })
      rmSync(blobPath(layout, config))
      const { hooks } = chainStore(`${work}/store`, {
        gc: () => {
          throw new Error('it was asked')
        }
      })
      const collect = (layouts: string[]): Promise<string> =>
        codeOf(library.collectStore({ layouts, hooks }))
      expect(await collect([layout])).toBe('BLOB_NOT_FOUND')
      expect(await collect([`${layout}:latest`])).toBe('USAGE')
      expect(await collect([])).toBe('USAGE')
    })
  })

  test('needs a hook for it', async () => {
    await inScratch(async (work) => {
      const { layout } = buildImage(`${work}/layout`, { layers: [BASE] })
      const { hooks } = chainStore(`${work}/store`)
      const code = await codeOf(library.collectStore({ layouts: [layout], hooks }))
      expect(code).toBe('HOOKS_INVALID')
    })
  })

  test('waits until an unpack has what it was promised', async () => {
    await inScratch(async (work) => {
      const options = optionsFor(work, [BASE, ABOVE])
      const order: string[] = []
      let collection: Promise<unknown> | undefined
      const store = chainStore(`${work}/store`, { gc: () => void order.push('gc') })
      const finish = store.hooks.finish!.bind(store.hooks)
      store.hooks.finish = async (context, call) => {
        const layouts = [`${work}/layout`]
        collection = library.collectStore({ layouts, hooks: store.hooks })
        await new Promise((resolve) => setTimeout(resolve, 100))
        await finish(context, call)
        order.push('finish')
      }
      await library.unpack({ ...options, hooks: store.hooks })
      await collection
      expect(order).toEqual(['finish', 'gc'])
    })
  })
})
