// One step of an image build: BASE with what COMMAND changes in it becomes IMAGE. Run as root; see README.md.
import { spawnSync } from 'node:child_process'
import console from 'node:console'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { deleteBundle, OciUnpackError, repack, unpack } from 'oci-unpack'
import { cacheHooks } from './cache.mjs'

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
  const bundle = join(cache, `bundle-${process.pid}`)
  await unpack({ image: base, destination: bundle, hooks })
  try {
    step(join(bundle, 'rootfs'))
    const { manifestDigest } = await repack({ image, bundle, hooks })
    console.log(`${image} is ${manifestDigest}`)
  } finally {
    await deleteBundle({ bundle, hooks })
  }
}

function step(rootfs) {
  console.log(`$ ${command.join(' ')}`)
  const { status, error } = spawnSync('chroot', [rootfs, ...command], { stdio: 'inherit' })
  if (status !== 0) throw error ?? new Error(`The step ended with status ${status}: no image.`)
}
