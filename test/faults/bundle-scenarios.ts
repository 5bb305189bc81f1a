/** The commands that make, read and remove trees; with a set of hooks, or without. */
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { snapshot } from '../reference/snapshot.ts'
import { library } from '../support/dist.ts'
import { makeTree, type Box } from './box.ts'
import { imagesIn } from './observe.ts'
import type { Scenario } from './scenario.ts'

/** A hooks.toml with its store below a directory; undefined: no hooks. */
export type SetIn = ((home: string) => string) | undefined

const BUNDLE_GONE = /BUNDLE_INVALID/
const BUNDLE_THERE = /BUNDLE_EXISTS/

export const treeScenarios: readonly Scenario[] = [
  {
    name: 'raw unpack',
    prepare: () => undefined,
    args: ({ image, path }) => ['raw', 'unpack', '--image', image, `${path}/tree`],
    state: ({ path }) => treeAt(`${path}/tree`),
    between: 'never'
  },
  {
    name: 'raw unpack over a tree',
    prepare: ({ path }) => makeTree(`${path}/tree`),
    args: ({ image, path }) => ['raw', 'unpack', '--image', image, `${path}/tree`],
    state: ({ path }) => treeAt(`${path}/tree`),
    between: 'after a kill'
  }
]

/** `label` stands before the names of the commands. */
export function bundleScenarios(label: string, set?: SetIn): Scenario[] {
  const named = (name: string): string => `${label}${name}`
  const flags = (box: Box): string[] =>
    set === undefined ? ['--no-hooks'] : ['--hooks', hooksFile(box)]
  const prepare = (box: Box): void => {
    set?.(box.path)
  }
  const options = (box: Box): { hooks?: { file: string } } =>
    set === undefined ? {} : { hooks: { file: hooksFile(box) } }
  const unpacked = async (box: Box): Promise<void> => {
    prepare(box)
    await library.unpack({ image: box.image, destination: box.bundle, ...options(box), jobs: 0 })
  }
  const oldUnpacked = async (box: Box): Promise<void> => {
    const destination = oldBundle(box)
    await library.unpack({ image: box.image, destination, ...options(box), jobs: 0 })
  }
  const changed = async (box: Box): Promise<void> => {
    await unpacked(box)
    change(`${box.bundle}/rootfs`)
  }
  const end = async (box: Box): Promise<void> => {
    for (const bundle of [box.bundle, oldBundle(box)])
      if (existsSync(bundle) && readdirSync(bundle).length > 0)
        await library.deleteBundle({ bundle, ...options(box) })
    rmSync(`${box.path}/kept`, { recursive: true, force: true })
    if (set !== undefined && existsSync(`${box.path}/store`))
      await library.collectStore({ layouts: [box.layout], hooks: { file: hooksFile(box) } })
  }
  const unpack: Scenario = {
    name: named('unpack'),
    prepare,
    args: (box) => ['unpack', ...flags(box), '--image', box.image, box.bundle],
    state: (box) => bundleState(box.bundle),
    between: set === undefined ? 'never' : 'after a kill',
    done: BUNDLE_THERE,
    end
  }
  const repack: Scenario = {
    name: named('repack'),
    prepare: changed,
    args: (box) => ['repack', ...flags(box), '--image', `${box.layout}:out`, box.bundle],
    state: async (box) => `${await imagesIn(box.layout)}\n${treeAt(`${box.bundle}/rootfs`)}`,
    between: 'never',
    end
  }
  return [
    unpack,
    {
      ...unpack,
      name: named('unpack, then another image'),
      next: (box) => ['unpack', ...flags(box), '--image', `${box.layout}:other`, box.bundle]
    },
    {
      ...unpack,
      name: named('unpack into an empty directory'),
      prepare: (box) => {
        prepare(box)
        mkdirSync(box.bundle, { mode: 0o750 })
      },
      between: 'after a kill'
    },
    repack,
    {
      ...repack,
      name: named('repack --refresh-bundle'),
      args: (box) => [...repack.args(box), '--refresh-bundle'],
      state: (box) => refreshedState(box),
      between: 'after any failure'
    },
    {
      name: named('bundle delete'),
      prepare: unpacked,
      args: (box) => ['bundle', 'delete', ...flags(box), box.bundle],
      state: ({ bundle }) => (existsSync(bundle) ? bundleState(bundle) : 'absent'),
      between: 'after any failure',
      done: BUNDLE_GONE,
      end
    },
    {
      name: named('bundle upgrade'),
      prepare: async (box) => {
        prepare(box)
        await oldUnpacked(box)
        change(`${oldBundle(box)}/rootfs`)
      },
      args: (box) => [
        ...['bundle', 'upgrade', ...flags(box), '--conflicts=both'],
        ...['--image', `${box.layout}:other`, oldBundle(box), box.bundle]
      ],
      state: (box) => `${bundleState(box.bundle)}\nold ${bundleState(oldBundle(box))}`,
      between: set === undefined ? 'never' : 'after a kill',
      done: BUNDLE_THERE,
      end
    },
    selecting(
      named('bundle select'),
      flags,
      async (box) => {
        await unpacked(box)
        await oldUnpacked(box)
      },
      end
    ),
    ...(set === undefined ? [] : [collecting(named('hooks gc'), flags, unpacked, end)])
  ]
}

/** With hooks that are told of it. */
export function hookedSelecting(): Scenario {
  const flags = ({ path }: Box): string[] => ['--hooks', `${path}/set/hooks.toml`]
  return selecting(
    'bundle select with a hook',
    flags,
    async (box) => {
      mkdirSync(`${box.path}/set`)
      const hook = `[bundle.selected]\ncommand = ["sh", "-c", "echo >${box.path}/told"]\n`
      writeFileSync(hooksFile(box), `version = 1\n${hook}`)
      for (const destination of [box.bundle, oldBundle(box)])
        await library.unpack({ image: box.image, destination, jobs: 0 })
    },
    async (box) => {
      for (const bundle of [box.bundle, oldBundle(box)]) await library.deleteBundle({ bundle })
    }
  )
}

function selecting(
  name: string,
  flags: (box: Box) => string[],
  prepare: (box: Box) => Promise<void>,
  end: (box: Box) => Promise<void>
): Scenario {
  return {
    name,
    async prepare(box) {
      await prepare(box)
      symlinkSync('old', `${box.path}/selected`)
    },
    args: (box) => ['bundle', 'select', ...flags(box), box.bundle],
    state: ({ path }) => readlinkSync(`${path}/selected`),
    between: 'never',
    end
  }
}

function oldBundle({ path }: Box): string {
  return `${path}/old`
}

function collecting(
  name: string,
  flags: (box: Box) => string[],
  prepare: (box: Box) => Promise<void>,
  end: (box: Box) => Promise<void>
): Scenario {
  return {
    name,
    async prepare(box) {
      await prepare(box)
      // of what is in the store, only what the bundle uses is needed now
      await library.removeTag({ image: box.image })
    },
    args: (box) => ['hooks', 'gc', ...flags(box), '--layout', box.layout],
    state: (box) => `${bundleState(box.bundle)}\n${storeState(`${box.path}/store`)}`,
    between: 'after any failure',
    end
  }
}

function hooksFile({ path }: Box): string {
  return `${path}/set/hooks.toml`
}

function change(rootfs: string): void {
  appendFileSync(`${rootfs}/etc/passwd`, 'user:x:1:1::/:/bin/sh\n')
  mkdirSync(`${rootfs}/new`)
  writeFileSync(`${rootfs}/new/file`, 'y'.repeat(40_000))
  rmSync(`${rootfs}/var/data/3`)
  for (const name of ['etc/passwd', 'new/file', 'new', 'var/data', '.'])
    utimesSync(`${rootfs}/${name}`, 5000, 5000)
}

function treeAt(path: string): string {
  return existsSync(path) ? snapshot(path) : 'absent'
}

function bundleState(bundle: string): string {
  if (!existsSync(bundle)) return 'absent'
  const names = readdirSync(bundle)
  const mode = (lstatSync(bundle).mode & 0o7777).toString(8)
  const isWhole =
    names.includes('umoci.json') &&
    names.includes('rootfs') &&
    !existsSync(`${bundle}/.oci-unpack/unfinished`)
  if (!isWhole) return `in part ${mode}\n${names.sort().join('\n')}`
  return [`whole ${mode}`, ...names.filter((name) => !/^rootfs$|\.fingerprints$/.test(name)).sort()]
    .concat(treeAt(`${bundle}/rootfs`))
    .join('\n')
}

/** The same however often the bundle was repacked: the tree, that the image has it, and that the bundle is of that image. */
async function refreshedState(box: Box): Promise<string> {
  const images = await imagesIn(box.layout)
  const digest = /^out (.*)$/m.exec(images)?.[1]
  const damaged = images.split('\n').filter((line) => line.startsWith('damaged'))
  const tree = treeAt(`${box.bundle}/rootfs`)
  if (digest === undefined) return [...damaged, 'not packed', tree].join('\n')
  const copy = `${box.work}/unpacked`
  rmSync(copy, { recursive: true, force: true })
  await library.unpackRootfs({ image: `${box.layout}:out`, destination: copy, jobs: 0 })
  const isPacked = snapshot(copy) === tree
  const isFollowing = readFileSync(`${box.bundle}/umoci.json`, 'utf8').includes(digest)
  const manifests = readdirSync(box.bundle).filter((name) => name.endsWith('.mtree')).length
  return [
    ...damaged,
    `packed: ${isPacked}, followed: ${isFollowing}, manifests: ${manifests}`,
    tree
  ].join('\n')
}

function storeState(store: string): string {
  const kept = ['layers', 'images'].filter((name) => existsSync(`${store}/${name}`))
  return kept.flatMap((name) => readdirSync(`${store}/${name}`).sort()).join('\n')
}
