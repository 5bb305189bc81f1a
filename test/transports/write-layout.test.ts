/** New layouts that several copies make at once. */
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { library } from '../support/dist.ts'
import { buildImage } from '../support/image-builder.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

test('a copy goes to the layout that another one has made in the meantime, and both images are there', async () => {
  const work = makeTemporary()
  try {
    const image = (tag: string): string =>
      buildImage(`${work}/${tag}`, { layers: [tar(file(tag))], tag }).reference
    const to = (tag: string) => ({ source: image(tag), destination: `${work}/new:${tag}` })
    let other: Promise<unknown> | undefined
    const one = to('one')
    const two = to('two')
    const copied = library.copy({
      ...one,
      onEvent: ({ type }) => {
        if (type === 'blob') other ??= library.copy(two)
      }
    })
    await Promise.all([copied, copied.then(() => other)])
    for (const tag of ['one', 'two'])
      expect(await library.verify({ image: `${work}/new:${tag}` })).toMatchObject({ ok: true })
    expect(readdirSync(work).sort()).toEqual(['new', 'one', 'two'])
  } finally {
    removeTemporary(work)
  }
})
