/** Bundles to upgrade: a small image, another one, and what is asked of both. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  diff,
  unpack,
  upgradeBundle,
  type EngineEvent,
  type UnpackOptions,
  type UpgradeBundleOptions,
  type UpgradeBundleResult
} from '../../../src/index.ts'
import { buildImage } from '../../support/image-builder.ts'
import { tar, type Entry } from '../../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../../support/temporary.ts'
import { unpackOptions } from '../../support/whoever.ts'

export interface Upgrade {
  /** Holds all the rest. */
  work: string
  old: string
  rootfs: string
  /** The new bundle, and its root file system. */
  made: string
  newRootfs: string
  oldImage: string
  newImage: string
  events: EngineEvent[]
  run: (more?: Partial<UpgradeBundleOptions>) => Promise<UpgradeBundleResult>
}

export async function withUpgrade(
  before: readonly Entry[],
  after: readonly Entry[],
  act: (upgrade: Upgrade) => Promise<void>,
  more: Partial<UnpackOptions> = {}
): Promise<void> {
  const work = makeTemporary()
  try {
    const oldImage = buildImage(`${work}/one`, { layers: [tar(...before)] }).reference
    const newImage = buildImage(`${work}/two`, { layers: [tar(...after)] }).reference
    const old = `${work}/old`
    const made = `${work}/made`
    await unpack({ image: oldImage, destination: old, jobs: 0, ...unpackOptions, ...more })
    const events: EngineEvent[] = []
    const onEvent = (event: EngineEvent): void => void events.push(event)
    await act({
      work,
      old,
      rootfs: `${old}/rootfs`,
      made,
      newRootfs: `${made}/rootfs`,
      oldImage,
      newImage,
      events,
      run: (options = {}) =>
        upgradeBundle({
          bundle: old,
          image: newImage,
          destination: made,
          jobs: 0,
          onEvent,
          ...options
        })
    })
  } finally {
    removeTemporary(work)
  }
}

/** `M etc/a`, as `diff` has it. */
export async function diffLines(bundle: string): Promise<string[]> {
  const entries = await diff({ bundle, jobs: 1, maskVolumes: false })
  return entries.map(({ kind, path }) => `${kind} ${path}`)
}

/** `path content`, of all files and links of a tree; directories have a slash. */
export function contents(root: string, at = ''): string[] {
  return readdirSync(join(root, at), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((found) => {
      const path = at === '' ? found.name : `${at}/${found.name}`
      if (found.isDirectory()) return [`${path}/`, ...contents(root, path)]
      return [`${path} ${found.isFile() ? readFileSync(join(root, path), 'utf8') : '?'}`]
    })
}

/**
 * Everything of a bundle that any change to it would change, except when it was last read. Users who are not root note in
 * the directory of a bundle which modes they change to read it, so only its ctime may be another.
 */
export function identities(bundle: string): string[] {
  const [top, ...below] = identitiesAt(Buffer.from(bundle))
  return [process.geteuid?.() === 0 ? top! : top!.replace(/ \d+$/, ''), ...below]
}

function identitiesAt(path: Buffer): string[] {
  const found = lstatSync(path, { bigint: true })
  const { ino, mode, size, nlink, uid, gid, mtimeNs, ctimeNs } = found
  const name = path.toString('latin1')
  const line = [name, ino, mode, size, nlink, uid, gid, mtimeNs, ctimeNs].join(' ')
  if (!found.isDirectory()) return [line]
  const below = readdirSync(path, { encoding: 'buffer' }).sort((a, b) => a.compare(b))
  return [
    line,
    ...below.flatMap((child) => identitiesAt(Buffer.concat([path, Buffer.from('/'), child])))
  ]
}
