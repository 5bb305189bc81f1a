/** Commands of an ordinary user on trees whose modes keep their owner out. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, utimesSync, writeFileSync } from 'node:fs'
import { snapshot } from '../reference/snapshot.ts'
import { library } from '../support/dist.ts'
import { MAPPING, MAPS, USER } from '../support/as-user.ts'
import { CLOSED_EDIT, CLOSED_TREE } from '../support/closed-tree.ts'
import { buildImage } from '../support/image-builder.ts'
import { tar } from '../support/tar-builder.ts'
import type { Box } from './box.ts'
import { imagesIn } from './observe.ts'
import type { Scenario } from './scenario.ts'

function images({ path }: Box): { tree: string; edit: string } {
  const image = (name: string, entries: typeof CLOSED_TREE): string =>
    buildImage(`${path}/${name}`, { layers: [tar(...entries)] }).reference
  return { tree: image('closed', CLOSED_TREE), edit: image('edit', CLOSED_EDIT) }
}

/** The user owns all but what belongs to others, and can get there. */
function give({ path, work }: Box): void {
  chmodSync(work, 0o755)
  execFileSync('find', [
    ...[path, '-path', `${path}/others`, '-prune', '-o'],
    ...['-exec', 'chown', '-h', `${USER}:${USER}`, '{}', '+']
  ])
}

async function unpacked(box: Box): Promise<void> {
  const image = images(box).tree
  const maps = { uidMap: MAPPING, gidMap: MAPPING }
  await library.unpack({ image, destination: box.bundle, ...maps, jobs: 0 })
  give(box)
}

async function edited(box: Box): Promise<void> {
  await unpacked(box)
  const key = `${box.bundle}/rootfs/none/inner/key`
  writeFileSync(key, 'another')
  utimesSync(key, 5000, 5000)
}

async function withTree(box: Box): Promise<void> {
  const image = images(box).tree
  const maps = { uidMap: MAPPING, gidMap: MAPPING }
  await library.unpackRootfs({ image, destination: `${box.path}/tree`, ...maps, jobs: 0 })
  give(box)
}

async function end({ bundle }: Box): Promise<void> {
  if (existsSync(bundle)) await library.deleteBundle({ bundle })
}

function treeAt(path: string): string {
  return existsSync(path) ? snapshot(path) : 'absent'
}

const rootfs = ({ bundle }: Box): string => treeAt(`${bundle}/rootfs`)

export const closedScenarios: readonly Scenario[] = [
  {
    name: 'diff of a closed tree',
    user: USER,
    prepare: edited,
    args: ({ bundle }) => ['diff', bundle],
    state: rootfs,
    between: 'after a kill',
    end
  },
  {
    name: 'repack of a closed tree',
    user: USER,
    prepare: edited,
    args: ({ path, bundle }) => ['repack', '--image', `${path}/closed:out`, bundle],
    state: async (box) => `${await imagesIn(`${box.path}/closed`)}\n${rootfs(box)}`,
    between: 'after a kill',
    end: async (box) => {
      await library.collectGarbage({ layout: `${box.path}/closed` })
      await end(box)
    }
  },
  {
    name: 'unpack of a closed tree',
    user: USER,
    prepare: (box) => {
      images(box)
      give(box)
    },
    args: ({ path, bundle }) => ['unpack', '--image', `${path}/closed:latest`, ...MAPS, bundle],
    state: rootfs,
    between: 'never',
    done: /BUNDLE_EXISTS/,
    end
  },
  {
    name: 'raw unpack over a closed tree',
    user: USER,
    prepare: withTree,
    args: ({ path }) => [
      'raw',
      'unpack',
      '--image',
      `${path}/edit:latest`,
      ...MAPS,
      `${path}/tree`
    ],
    state: ({ path }) => treeAt(`${path}/tree`),
    between: 'after a kill'
  },
  {
    name: 'bundle delete of a closed tree',
    user: USER,
    prepare: unpacked,
    args: ({ bundle }) => ['bundle', 'delete', bundle],
    state: rootfs,
    between: 'after any failure',
    done: /BUNDLE_INVALID/,
    end
  }
]
