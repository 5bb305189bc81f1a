/** Where the suite of the contract works: a storage, an image, and unpacks that stop or die half way. */
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { buildSync } from 'esbuild'
import { expect } from 'vitest'
import type { Job } from '../../../src/engine/extract/job.ts'
import { normalizeUnpack } from '../../../src/engine/extract/unpack-options.ts'
import { extractMissing } from '../../../src/engine/storage/extract-missing.ts'
import type { NewBundle } from '../../../src/engine/storage/layer-storage.ts'
import { withStorage } from '../../../src/engine/storage/storages.ts'
import { withSource } from '../../../src/engine/transfer/with-source.ts'
import type { UnpackOptions } from '../../../src/index.ts'
import { resolveImage } from '../../../src/store/resolve.ts'
import { applySerially } from '../../reference/serial.ts'
import { snapshot } from '../../reference/snapshot.ts'
import { readArchive } from '../../support/archive.ts'
import { directory, file, hardlink, symlink, tar } from '../../support/tar-builder.ts'
import { inScratch, optionsFor } from '../support.ts'
import type { Killed } from './killed-unpack.ts'
import type { Tenant } from './tenants.ts'

export const LAYERS = [
  tar(
    directory('etc/', { mode: 0o750, uid: 3, mtime: 100 }),
    file('etc/a', 'one', { mtime: 200 }),
    file('etc/b', 'two', { mode: 0o600, gid: 4, mtime: 300 }),
    directory('old/'),
    file('old/deep', 'gone')
  ),
  tar(file('etc/.wh.a'), file('.wh.old'), symlink('link', 'etc'), file('etc/c', 'three')),
  tar(file('top', 'four'), hardlink('second', 'top'))
]

interface InStorage {
  work: string
  /** The directory of the storage. */
  path: string
  options: UnpackOptions
  bundle: string
  /** The tree of the image as a plain serial unpack makes it. */
  expected: string
}

export async function inStorage(
  tenant: Tenant,
  act: (facts: InStorage) => Promise<void>
): Promise<void> {
  await inScratch(async (work) => {
    const path = `${work}/storage`
    const bundle = `${work}/bundles/made`
    fs.mkdirSync(path)
    fs.mkdirSync(`${work}/bundles`)
    applySerially(
      `${work}/serial`,
      LAYERS.map((layer) => readArchive(layer)),
      false
    )
    const hooks = tenant.hooks(path)
    const options = {
      ...optionsFor(work, LAYERS),
      destination: bundle,
      ...(hooks === undefined ? {} : { hooks })
    }
    await act({ work, path, options, bundle, expected: snapshot(`${work}/serial`) })
  })
}

/** The storage itself, without a story around it. */
export async function inNewBundle(
  options: UnpackOptions,
  act: (job: Job, bundle: NewBundle) => Promise<void>
): Promise<void> {
  const settings = normalizeUnpack({ ...options, jobs: 0 })
  const { reference, layoutOptions, signal, hooks, onEvent } = settings
  await withSource(reference, { ...layoutOptions, signal }, async (source, tag) => {
    const image = resolveImage(source, tag, settings.platform)
    const job = { source, image, settings }
    await withStorage({ hooks }, onEvent, (storage) =>
      storage.withNewBundle(job, (bundle) => act(job, bundle))
    )
  })
}

export async function extractAll(
  job: Job,
  bundle: NewBundle,
  missing: readonly number[]
): Promise<void> {
  await extractMissing(job, missing, bundle)
}

/** Runs killed-unpack.ts to its end. */
export function kill(work: string, killed: Killed): void {
  const entry = new URL('killed-unpack.ts', import.meta.url).pathname
  const outfile = `${work}/killed-unpack.mjs`
  buildSync({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm' })
  const { signal, stderr } = spawnSync(process.execPath, [outfile, JSON.stringify(killed)])
  expect(signal, stderr.toString()).toBe('SIGKILL')
}
