/** What hooks are asked when a bundle is mounted or unmounted, and what the engine makes of their answers. */
import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { UnpackHooks } from '../../src/index.ts'
import { library } from '../support/dist.ts'
import { needs } from '../support/requires.ts'
import { ok, run } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { chainStore } from './storage/directory-store.ts'
import { inScratch, optionsFor } from './support.ts'

/** Functions that differ; undefined for none. */
type Changed = { [Name in keyof UnpackHooks]?: UnpackHooks[Name] | undefined }

interface Mounting {
  bundle: string
  rootfs: string
  /** The hooks of the bundle, with other functions. */
  with: (more: Changed) => UnpackHooks
  calls: string[]
}

/** A bundle whose root file system is a mount of the top layer. */
async function inMounting(act: (mounting: Mounting) => Promise<void>): Promise<void> {
  await inScratch(async (work) => {
    const options = optionsFor(work, [tar(file('a', 'one'))])
    const bundle = options.destination
    const rootfs = `${bundle}/rootfs`
    let top = ''
    const { hooks, calls } = chainStore(`${work}/store`, {
      finish({ layers }) {
        top = layers.at(-1)!.target!
        fs.mkdirSync(rootfs)
        ok('mount', '--bind', top, rootfs)
      },
      mount() {
        calls.push('mount')
        if (!isMounted(rootfs)) ok('mount', '--bind', top, rootfs)
      },
      umount() {
        calls.push('umount')
        run('umount', rootfs)
      }
    })
    try {
      await library.unpack({ ...options, hooks })
      calls.length = 0
      await act({ bundle, rootfs, with: (more) => ({ ...hooks, ...more }) as UnpackHooks, calls })
    } finally {
      while (run('umount', rootfs).status === 0);
    }
  })
}

function isMounted(path: string): boolean {
  return run('mountpoint', '-q', path).status === 0
}

describe.runIf(needs('root', 'mounts', 'mountpoint'))('a bundle that hooks mounted', () => {
  test('is mounted and unmounted by them, as often as asked', () =>
    inMounting(async ({ bundle, rootfs, with: of, calls }) => {
      const hooks = of({})
      await library.umountBundle({ bundle, hooks })
      await library.umountBundle({ bundle, hooks })
      expect(isMounted(rootfs)).toBe(false)
      await library.mountBundle({ bundle, hooks })
      await library.mountBundle({ bundle, hooks })
      expect(fs.readdirSync(rootfs)).toEqual(['a'])
      expect(calls).toEqual(['umount', 'umount', 'mount', 'mount'])
    }))

  const nothing = (): undefined => undefined
  const fail = (): never => {
    throw new Error('no room')
  }

  test.each<[string, Partial<UnpackHooks>, object]>([
    ['does not mount it', { mount: nothing }, { code: 'HOOK_ANSWER_INVALID' }],
    ['has no hook for it', { mount: () => 'decline' }, { code: 'HOOK_ANSWER_INVALID' }],
    ['fails', { mount: fail }, { code: 'HOOK_FAILED', facts: { hook: 'bundle.mount' } }]
  ])('stays unmounted if the set %s', (_what, more, expected) =>
    inMounting(async ({ bundle, rootfs, with: of, calls }) => {
      await library.umountBundle({ bundle, hooks: of({}) })
      const failed = library.mountBundle({ bundle, hooks: of(more) })
      await expect(failed).rejects.toMatchObject(expected)
      expect(isMounted(rootfs)).toBe(false)
      expect(calls.at(-1)).toBe('umount')
      await library.mountBundle({ bundle, hooks: of({}) })
    })
  )

  test('is unmounted again if the hook fails after it mounted it, but not if it was mounted', () =>
    inMounting(async ({ bundle, rootfs, with: of }) => {
      const hooks = of({
        mount() {
          if (!isMounted(rootfs)) ok('mount', '-t', 'tmpfs', 'half', rootfs)
          fail()
        }
      })
      await expect(library.mountBundle({ bundle, hooks })).rejects.toThrow()
      expect(isMounted(rootfs)).toBe(true)
      await library.umountBundle({ bundle, hooks })
      await expect(library.mountBundle({ bundle, hooks })).rejects.toThrow()
      expect(isMounted(rootfs)).toBe(false)
    }))

  test.each<[string, Partial<UnpackHooks>, object]>([
    ['does nothing', { umount: nothing }, { code: 'HOOK_ANSWER_INVALID' }],
    ['fails', { umount: fail }, { code: 'HOOK_FAILED', facts: { hook: 'bundle.umount' } }]
  ])('is not said to be unmounted if the set %s', (_what, more, expected) =>
    inMounting(async ({ bundle, rootfs, with: of }) => {
      const failed = library.umountBundle({ bundle, hooks: of(more) })
      await expect(failed).rejects.toMatchObject(expected)
      expect(isMounted(rootfs)).toBe(true)
    })
  )

  test('needs hooks for that, and the error says which', () =>
    inMounting(async ({ bundle, with: of }) => {
      await expect(
        library.umountBundle({ bundle, hooks: of({ umount: undefined }) })
      ).rejects.toMatchObject({
        code: 'HOOKS_INVALID',
        hint: expect.stringContaining('[bundle.umount]') as unknown
      })
      await library.umountBundle({ bundle, hooks: of({}) })
      await expect(
        library.mountBundle({ bundle, hooks: of({ mount: undefined }) })
      ).rejects.toMatchObject({
        code: 'HOOKS_INVALID',
        hint: expect.stringContaining('[bundle.mount]') as unknown
      })
    }))

  test('is not mounted while it is incomplete, nor as a copy', () =>
    inMounting(async ({ bundle, with: of, calls }) => {
      const hooks = of({})
      await library.umountBundle({ bundle, hooks })
      calls.length = 0
      const copy = `${bundle}-copy`
      ok('cp', '-a', bundle, copy)
      const isCopy = { code: 'BUNDLE_INVALID', message: expect.stringContaining('copy') as unknown }
      await expect(library.mountBundle({ bundle: copy, hooks })).rejects.toMatchObject(isCopy)
      fs.writeFileSync(`${bundle}/.oci-unpack/unfinished`, '')
      await expect(library.mountBundle({ bundle, hooks })).rejects.toMatchObject({
        message: 'The bundle is not complete.'
      })
      fs.rmSync(`${bundle}/.oci-unpack/unfinished`)
      expect(calls).toEqual([])
    }))
})
