/** A bundle of hooks whose root file system is not there, after a reboot perhaps, does not look like a deletion of all. */
import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { UnpackHooks } from '../../../src/index.ts'
import { library } from '../../support/dist.ts'
import { needs } from '../../support/requires.ts'
import { ok, run } from '../../support/run.ts'
import { file, tar } from '../../support/tar-builder.ts'
import { inScratch, optionsFor } from '../support.ts'
import { chainStore } from '../storage/directory-store.ts'

const LAYERS = [tar(file('a', 'one'), file('b', 'two'))]

interface Shown {
  bundle: string
  rootfs: string
  hooks: UnpackHooks
  /** Each way of looking at the bundle, by its name. */
  looks: Readonly<Record<string, () => Promise<unknown>>>
  /** Puts the root file system there again. */
  show: () => void
}

/** A bundle whose finish calls `show`. What is mounted there at the end is unmounted. */
async function withShown(
  show: (top: string, rootfs: string) => void,
  act: (shown: Shown) => Promise<void>,
  layers = LAYERS
): Promise<void> {
  await inScratch(async (work) => {
    let top = ''
    const { hooks } = chainStore(`${work}/store`, {
      finish(context) {
        top = context.layers.at(-1)?.target ?? ''
        fs.mkdirSync(context.rootfs)
        show(top, context.rootfs)
      },
      deltaList: () => ['a']
    })
    const options = optionsFor(work, layers)
    const bundle = options.destination
    const rootfs = `${bundle}/rootfs`
    const image = `${work}/layout:again`
    try {
      await library.unpack({ ...options, hooks })
      await act({
        bundle,
        rootfs,
        hooks,
        looks: {
          diff: () => library.diff({ bundle }),
          'repack with hooks': () => library.repack({ image, bundle, hooks }),
          'repack without hooks': () => library.repack({ image, bundle })
        },
        show: () => show(top, rootfs)
      })
    } finally {
      while (run('umount', rootfs).status === 0);
    }
  })
}

function rewriteRecord(bundle: string, record: object): void {
  fs.writeFileSync(`${bundle}/.oci-unpack/hooks.json`, JSON.stringify(record))
}

async function expectRefused({ looks, rootfs }: Shown, message: string): Promise<void> {
  for (const look of Object.values(looks))
    await expect(look()).rejects.toMatchObject({
      code: 'BUNDLE_INVALID',
      message: `The root file system of the bundle is ${message}.`,
      facts: { hooks: 'directories', path: rootfs }
    })
}

async function expectLooked({ looks }: Shown): Promise<void> {
  for (const look of Object.values(looks)) await look()
}

function copy(top: string, rootfs: string): void {
  ok('cp', '-a', `${top}/.`, rootfs)
}

describe.runIf(needs('root'))('a bundle of hooks is refused', () => {
  const tmpfs = (top: string, rootfs: string): void => {
    ok('mount', '-t', 'tmpfs', 'tmpfs', rootfs)
    copy(top, rootfs)
  }
  const bind = (top: string, rootfs: string): void => void ok('mount', '--bind', top, rootfs)

  test.each([
    ['another file system', tmpfs],
    ['a part of the same one', bind]
  ])('while %s is not mounted in it any more', (_what, show) =>
    withShown(show, async (shown) => {
      const { bundle, rootfs } = shown
      const record = fs.readFileSync(`${bundle}/.oci-unpack/hooks.json`, 'utf8')
      expect(JSON.parse(record)).toMatchObject({ hooks: 'directories', rootfs: 'mount' })
      await expectLooked(shown)
      ok('umount', rootfs)
      await expectRefused(shown, 'not mounted')
      fs.writeFileSync(`${rootfs}/stray`, '')
      await expectRefused(shown, 'not mounted')
      fs.rmSync(`${rootfs}/stray`)
      shown.show()
      await expectLooked(shown)
    })
  )

  test('when an earlier version made it, and its root file system is empty', () =>
    withShown(tmpfs, async (shown) => {
      rewriteRecord(shown.bundle, { hooks: 'directories', extract: 'chain' })
      await expectLooked(shown)
      ok('umount', shown.rootfs)
      await expectRefused(shown, 'not mounted')
    }))

  test('when its root file system is a directory that was emptied', () =>
    withShown(copy, async (shown) => {
      for (const name of fs.readdirSync(shown.rootfs)) fs.rmSync(`${shown.rootfs}/${name}`)
      await expectRefused(shown, 'empty')
    }))
})

test.runIf(needs('root'))('an image of nothing is no reason to refuse its bundle', () =>
  withShown(copy, expectLooked, [tar()])
)

test('a bundle that no hooks made may be emptied', () =>
  inScratch(async (work) => {
    const options = optionsFor(work, LAYERS)
    await library.unpack(options)
    const bundle = options.destination
    for (const name of ['a', 'b']) fs.rmSync(`${bundle}/rootfs/${name}`)
    expect(await library.diff({ bundle })).toHaveLength(3)
  }))
