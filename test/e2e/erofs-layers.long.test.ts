/** Many layers, and the layers of a real image, mounted: the same on every field as unpacked. */
import { mkdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage } from '../support/image-builder.ts'
import { mountNew } from '../support/loop.ts'
import { longTests, needs } from '../support/requires.ts'
import { directory, file, tar, type Entry } from '../support/tar-builder.ts'
import { ociUnpackOk } from './cli.ts'
import { run } from '../support/run.ts'
import { DEBIAN_NEEDS, debianLayout } from './debian-image.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const runnable = longTests() && needs('root', 'erofs', 'loop', 'python3')

describe.runIf(runnable)('mounted layers', { timeout: 600_000 }, () => {
  test.each([60, 120])('%i of them, from files and from loop devices', (count) => {
    const memory = mountNew('tmpfs', 200)
    const work = makeTemporary()
    try {
      const { reference } = buildImage(`${work}/layout`, { layers: manyLayers(count) })
      for (const place of [work, memory.path]) compareMounted(reference, place)
    } finally {
      memory.release()
      removeTemporary(work)
    }
  })

  test.runIf(needs(...DEBIAN_NEEDS))('of Debian', () => {
    const work = makeTemporary()
    try {
      compareMounted(`${debianLayout()}:debian`, work)
    } finally {
      removeTemporary(work)
    }
  })
})

/** Each changes what others have, hides some of it, and adds a file of its own. */
function manyLayers(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => {
    const entries: Entry[] = [
      directory('d', { mode: 0o700 + (i % 64) }),
      file('d/same', `${i}`.repeat(i * 100)),
      file(`d/only-${i}`, 'o'.repeat(i * 37))
    ]
    if (i % 7 === 3) entries.push(file(`d/.wh.only-${i - 2}`))
    return tar(...entries)
  })
}

function compareMounted(image: string, place: string): void {
  mkdirSync(`${place}/mnt`)
  ociUnpackOk('raw', 'unpack', '--image', image, `${place}/rootfs`)
  ociUnpackOk('erofs', 'make', '--image', image, `${place}/images`)
  ociUnpackOk('erofs', 'verify', `${place}/images`)
  ociUnpackOk('erofs', 'mount', `${place}/images`, `${place}/mnt`)
  try {
    expect(compareTrees(`${place}/rootfs`, `${place}/mnt`)).toEqual([])
    ociUnpackOk('erofs', 'umount', `${place}/mnt`)
  } finally {
    run('umount', `${place}/mnt`)
  }
}
