/** The commands that change layouts and archives. */
import { cpSync, writeFileSync } from 'node:fs'
import { library } from '../support/dist.ts'
import { blobsIn, imagesIn } from './observe.ts'
import type { Scenario } from './scenario.ts'

const nothing = (): undefined => undefined

const changing = (name: string, args: (work: string) => string[], tag = true): Scenario => ({
  name,
  prepare: nothing,
  args: ({ image, work }) => [
    ...name.split(' '),
    '--image',
    image,
    ...(tag ? ['--tag', 'out'] : []),
    ...args(work)
  ],
  state: ({ layout }) => imagesIn(layout),
  between: 'never'
})

const copying = (to: string, target: (path: string) => string, done?: RegExp): Scenario => ({
  name: `copy to ${to}`,
  prepare: nothing,
  args: ({ image, path }) => ['copy', image, `${target(path)}:copy`],
  state: ({ path }) => imagesIn(target(path)),
  between: 'never',
  ...(done === undefined ? {} : { done })
})

export const layoutScenarios: readonly Scenario[] = [
  {
    name: 'init',
    prepare: nothing,
    args: ({ path }) => ['init', '--layout', `${path}/new/layout`],
    state: ({ path }) => imagesIn(`${path}/new/layout`),
    between: 'never',
    done: /LAYOUT_EXISTS/
  },
  {
    ...changing('new', () => [], false),
    args: ({ layout }) => ['new', '--image', `${layout}:new`]
  },
  changing('tag', () => ['out'], false),
  changing('remove', () => [], false),
  changing('config', () => ['--author', 'somebody']),
  changing('insert', (work) => [`${work}/layer.tar`, '/opt/file']),
  changing('raw add-layer', (work) => [`${work}/layer.tar`]),
  {
    name: 'gc',
    prepare: ({ layout }) => writeFileSync(`${layout}/blobs/sha256/${'cd'.repeat(32)}`, 'nor this'),
    args: ({ layout }) => ['gc', '--layout', layout],
    state: async ({ layout }) => `${await imagesIn(layout)}\n${blobsIn(layout)}`,
    between: 'after any failure'
  },
  copying('a new layout', (path) => `${path}/copied`),
  {
    ...copying('a layout', (path) => `${path}/target`),
    prepare: ({ layout, path }) => cpSync(layout, `${path}/target`, { recursive: true }),
    end: async ({ path }) => {
      await library.collectGarbage({ layout: `${path}/target` })
    }
  },
  copying('an oci-archive', (path) => `oci-archive:${path}/copy.tar`, /ARCHIVE_EXISTS/),
  copying('a docker-archive', (path) => `docker-archive:${path}/copy.tar`, /ARCHIVE_EXISTS/)
]
