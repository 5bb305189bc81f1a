/** Images of layers in a directory and in a cache. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { library } from '../support/dist.ts'
import type { Box } from './box.ts'
import type { Scenario } from './scenario.ts'

/** What a power failure may leave of an image. */
const DAMAGED = Buffer.alloc(8192)

const expected = ({ work }: Box): string => `${work}/expected`
const made = ({ path }: Box): string => `${path}/images`
const cache = ({ path }: Box): string => `${path}/images-cache`

/** Images as they are without faults, made once. */
async function makeExpected(box: Box): Promise<void> {
  if (existsSync(expected(box))) return
  await library.makeErofs({ image: box.image, destination: expected(box), jobs: 0 })
}

function imagesOf(box: Box): string[] {
  return readdirSync(expected(box)).filter((name) => name.startsWith('sha256-'))
}

function cached(box: Box, image: string): string {
  const hex = image.slice('sha256-'.length)
  return `${cache(box)}/sha256/${hex.slice(0, 2)}/${hex}`
}

/** An image that is in the cache is whole; only one that was damaged before may still be so. */
function stateOf(box: Box): string {
  const cachedImages = imagesOf(box).flatMap((image) => {
    const file = cached(box, image)
    if (!existsSync(file)) return []
    const bytes = readFileSync(file)
    if (bytes.equals(DAMAGED)) return ['as before']
    return bytes.equals(readFileSync(`${expected(box)}/${image}`)) ? [] : [`damaged: ${image}`]
  })
  const files = existsSync(made(box)) ? readdirSync(made(box)).sort() : []
  const wrong = files.filter(
    (name) => !readFileSync(`${made(box)}/${name}`).equals(readFileSync(`${expected(box)}/${name}`))
  )
  return [...cachedImages, ...wrong.map((name) => `damaged: ${name}`), ...files].join('\n')
}

const making: Scenario = {
  name: 'erofs make',
  prepare: makeExpected,
  args: (box) => ['erofs', 'make', '--image', box.image, '--cache', cache(box), made(box)],
  state: stateOf,
  between: 'never',
  done: /BUNDLE_EXISTS/
}

export const erofsScenarios: readonly Scenario[] = [
  making,
  {
    ...making,
    name: 'erofs make with a damaged cache',
    async prepare(box) {
      await makeExpected(box)
      for (const image of imagesOf(box)) {
        mkdirSync(dirname(cached(box, image)), { recursive: true })
        writeFileSync(cached(box, image), DAMAGED)
      }
    },
    between: 'after any failure'
  }
]
