/** Compares committed layers, and what joins them, with those that the engine makes. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { mountImage } from '../../engine/extract/layer-directories.ts'
import { imageFormat } from '../../engine/storage/image-format.ts'
import { unpack } from '../../engine/unpack.ts'
import type { UnpackHooks } from '../../hooks/unpack-hooks.ts'
import { close } from '../../sys/files.ts'
import { handlePath } from '../../sys/handle-path.ts'
import type { Bench, Unpacked } from '../bench.ts'
import { callsOf } from '../calls.ts'
import { Broken } from '../report.ts'
import { differences, readTree } from '../tree.ts'

/**
 * With `layer`, the directory must equal the layer; with `image`, the bytes of all images must. A state of `chain` is judged
 * by the bundle that is made from it.
 */
export async function checkCommitted(bench: Bench, { calls, image }: Unpacked): Promise<void> {
  const { extract } = bench.set
  if (extract !== 'layer' && extract !== 'image') return
  const own = bench.newPath('layers')
  await unpack({
    image: image.reference,
    destination: bench.newPath('reference'),
    hooks: extract === 'layer' ? plainLayers(own, bench.set.whiteouts!) : plainImages(own),
    jobs: 0
  })
  const compare = extract === 'layer' ? compareTrees : compareBytes
  for (const { name, target } of committed(calls)) compare(bench, join(own, name), target)
}

/** What finish was told, by the names of the reference. */
function committed(calls: Unpacked['calls']): { name: string; target: string }[] {
  const { layers, merged } = callsOf(calls, 'finish').at(-1)!.context as unknown as {
    layers: readonly { index: number; target: string }[]
    merged?: string
  }
  const all = layers.map(({ index, target }) => ({ name: String(index), target }))
  return merged === undefined ? all : [...all, { name: MERGED, target: merged }]
}

const MERGED = 'merged'

function compareTrees(bench: Bench, expected: string, found: string): void {
  const own = readTree(expected, bench.set)
  const lines = withDirectory(found, (path) =>
    differences(own, readTree(path, bench.set), { expected: 'the layer', found })
  )
  if (lines.length > 0)
    throw new Broken({
      seen: `What is committed as ${found} is not the layer:\n${lines.join('\n')}`
    })
}

/** An image is mounted where nobody else sees it. */
function withDirectory<T>(path: string, act: (directory: string) => T): T {
  const format = imageFormat(path)
  if (format === undefined) return act(path)
  const mount = mountImage({ path, format })
  try {
    return act(handlePath(mount))
  } finally {
    close(mount)
  }
}

function compareBytes(_bench: Bench, expected: string, found: string): void {
  const [should, is] = [expected, found].map(digest)
  if (should !== is)
    throw new Broken({
      seen: `The image ${found} is not what the engine makes: its SHA-256 is ${is!}, should be ${should!}`
    })
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

/** The simplest hooks: each layer goes into a directory named by its number, and the bundle does not matter. */
function plainLayers(
  directory: string,
  whiteouts: NonNullable<UnpackHooks['whiteouts']>
): UnpackHooks {
  return {
    ...plain(directory),
    extract: 'layer',
    whiteouts,
    preExtract({ index }) {
      const target = join(directory, String(index))
      mkdirSync(target, { mode: 0o700 })
      return { target }
    }
  }
}

/** The same with images. */
function plainImages(directory: string): UnpackHooks {
  return {
    ...plain(directory),
    extract: 'image',
    merge: () => ({ target: join(directory, MERGED) }),
    preExtract: ({ index }) => ({ target: join(directory, String(index)) })
  }
}

function plain(directory: string): UnpackHooks {
  mkdirSync(directory)
  return {
    name: `conformance-${String(process.pid)}`,
    manifest: 'never',
    trySkip: () => 'decline',
    postExtract: () => undefined,
    finish({ rootfs }) {
      mkdirSync(rootfs)
      return undefined
    }
  }
}
