/** Images that bring what looks like unfinished work of ours, with orders for whoever finds it. */
import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { directory, file, tar, type Entry } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackOk } from './cli.ts'

const NAME = '.oci-unpack-0123456789ab'
const MOVE = { undo: 'move', from: 'mine', to: `${NAME}/layers/0` }
const JOURNAL = `0000000001\n${JSON.stringify({ steps: [MOVE], remembered: [] })}\n`

let work: string
beforeEach(() => {
  work = makeTemporary()
})
afterEach(() => removeTemporary(work))

describe.runIf(needs('root'))('an image with a workspace of its own', () => {
  test.each([
    [
      'raw unpack over its tree',
      (image: string) => ['raw', 'unpack', '--image', image, `${work}/tree`]
    ],
    ['unpack into its tree', (image: string) => ['unpack', '--image', image, `${work}/tree`]],
    ['unpack beside it', (image: string) => ['unpack', '--image', image, `${work}/tree/bundle`]]
  ])('is unpacked as it is, and %s obeys nothing in it', (_what, again) => {
    const outside = `${work}/outside`
    fs.writeFileSync(outside, '', { mode: 0o640 })
    const image = imageOf('forged', forged(outside))
    ociUnpackOk('raw', 'unpack', '--image', image, `${work}/tree`)
    fs.writeFileSync(`${work}/tree/mine`, 'precious', { mode: 0o600 })
    ociUnpackOk(...again(imageOf('plain', [file('new', 'x')])))
    expect(fs.readFileSync(`${work}/tree/mine`, 'utf8')).toBe('precious')
    expect(fs.statSync(`${work}/tree/mine`).mode & 0o7777).toBe(0o600)
    expect(fs.statSync(outside).mode & 0o7777).toBe(0o640)
    expect(fs.readdirSync(`${work}/tree/${NAME}`).sort()).toEqual(['journal', 'layers', 'modes'])
    expect(
      fs.readdirSync(`${work}/tree`).filter((name) => name.startsWith('.oci-unpack-'))
    ).toEqual([NAME])
  })
})

function forged(outside: string): Entry[] {
  const inode = String(fs.statSync(outside).ino)
  const lines = ['../outside', '../../outside', 'mine'].map((path) =>
    JSON.stringify({ lent: { path, inode, mode: 0o4777, lent: 0o640 } })
  )
  return [
    directory(`${NAME}/`, { mode: 0o700 }),
    directory(`${NAME}/layers/`, { mode: 0o700 }),
    file(`${NAME}/journal`, JOURNAL, { mode: 0o600 }),
    file(`${NAME}/modes`, lines.map((line) => `\n${line}\n`).join(''), { mode: 0o600 })
  ]
}

function imageOf(name: string, entries: Entry[]): string {
  return buildImage(`${work}/${name}`, { layers: [tar(...entries)] }).reference
}
