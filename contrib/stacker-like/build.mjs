// One step of an image build: BASE with what COMMAND changes in it becomes IMAGE. Run as root; see README.md.
import { spawnSync } from 'node:child_process'
import console from 'node:console'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { OciUnpackError, repack, unpack } from 'oci-unpack'
import { cacheHooks, unmount } from './cache.mjs'

const [cache, base, image, ...command] = process.argv.slice(2)

try {
  if (command.length === 0)
    throw new Error('usage: node build.mjs CACHE BASE IMAGE COMMAND [ARGUMENT…]')
  await build(resolve(cache))
} catch (error) {
  console.error(error instanceof OciUnpackError ? error : error.message)
  process.exitCode = 1
}

async function build(cache) {
  const hooks = cacheHooks(cache)
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  const work = mkdtempSync(join(cache, 'bundle-'))
  const bundle = join(work, 'bundle')
  const rootfs = join(bundle, 'rootfs')
  try {
    await unpack({ image: base, destination: bundle, hooks })
    step(rootfs)
    const { manifestDigest } = await repack({ image, bundle, hooks })
    console.log(`${image} is ${manifestDigest}`)
  } finally {
    unmount(rootfs)
    rmSync(work, { recursive: true })
  }
}

function step(rootfs) {
  console.log(`$ ${command.join(' ')}`)
  const { status, error } = spawnSync('chroot', [rootfs, ...command], { stdio: 'inherit' })
  if (status !== 0) throw error ?? new Error(`The step ended with status ${status}: no image.`)
}
