/**
 * The place where cases run: the hooks, a scratch directory, images that are new to every store, and observed unpacks.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromText } from '../bytes.ts'
import { repack, type RepackOptions } from '../engine/repack.ts'
import { deleteBundle } from '../engine/delete-bundle.ts'
import { mountBundle, umountBundle } from '../engine/mount-bundle.ts'
import { unpack, unpackRootfs } from '../engine/unpack.ts'
import type { HookSet, Holds } from '../hooks/calls.ts'
import type { HookPoint } from '../hooks/points.ts'
import { withTrace, type TraceRecord } from '../hooks/trace.ts'
import { isErrno } from '../sys/failure.ts'
import { AT_FDCWD } from '../sys/files.ts'
import { setXattr } from '../sys/metadata.ts'
import { baseLayer, type Abilities, type MadeLayer } from './layers.ts'
import { makeImage } from './make-image.ts'
import { openHooks } from './source.ts'
import { readTree, type Tree } from './tree.ts'

export interface Image {
  reference: string
  layout: string
  /** Number of layers. */
  layers: number
  /** What the engine makes from it without hooks. */
  tree: Tree
  /** What the set can hold of it. */
  held: Holds
}

export interface Unpacked {
  image: Image
  bundle: string
  rootfs: string
  calls: readonly TraceRecord[]
  /** Layers that were read, in any order. */
  read: readonly number[]
}

export interface Repacked {
  reference: string
  /** The diff ID of the new layer; undefined if nothing had changed. */
  diffId: string | undefined
}

/** Changes what the engine sees of a set. */
export type Wrap = (set: HookSet) => HookSet

const unchanged: Wrap = (set) => set

/** Calls the hooks of a point twice, as after an engine that died before it knew that they were done. */
export function twice(repeated: HookPoint): Wrap {
  return (set) => ({
    ...set,
    async call(point, context, signal) {
      if (point === repeated) await set.call(point, context, signal)
      return set.call(point, context, signal)
    }
  })
}

export class Bench {
  /** In the form that `openHooks` takes. */
  readonly file: string
  /** The settings of the set; its hooks are not called. */
  readonly set: HookSet
  readonly scratch: string
  /** Stops the current work of a case. */
  readonly stop: { readonly signal?: AbortSignal }
  readonly able: Abilities
  /** All calls of the running case that have ended so far. */
  calls: TraceRecord[] = []
  private made = 0
  private bundles: string[] = []

  constructor(file: string, set: HookSet, scratch: string, signal: AbortSignal | undefined) {
    this.file = file
    this.set = set
    this.scratch = scratch
    this.stop = signal === undefined ? {} : { signal }
    this.able = { root: process.geteuid!() === 0, xattrs: hasXattrs(scratch) }
  }

  /** An image with a new base layer and the given layers, in a layout of its own. */
  async newImage(...layers: readonly MadeLayer[]): Promise<Image> {
    const layout = this.newPath('layout')
    return this.addImage(layout, 'made', this.newBase(), ...layers)
  }

  newBase(): MadeLayer {
    return baseLayer(randomBytes(16).toString('hex'), this.able)
  }

  async addImage(layout: string, tag: string, ...layers: readonly MadeLayer[]): Promise<Image> {
    await makeImage(layout, tag, layers)
    return this.knownImage(`${layout}:${tag}`, layout, layers.length)
  }

  async knownImage(reference: string, layout: string, layers: number): Promise<Image> {
    const plain = this.newPath('plain')
    await unpackRootfs({ image: reference, destination: plain, jobs: 0 })
    return { reference, layout, layers, tree: readTree(plain, this.set), held: this.set }
  }

  newBundle(): string {
    return this.adopt(this.newPath('bundle'))
  }

  /** A path of a bundle that is removed with the case. */
  adopt(bundle: string): string {
    this.bundles.push(bundle)
    return bundle
  }

  /** Unpacks with hooks, in this process. Passes on what the unpack throws. */
  async unpack(
    image: Image,
    bundle: string = this.newBundle(),
    wrap: Wrap = unchanged
  ): Promise<Unpacked> {
    const calls: TraceRecord[] = []
    const read: number[] = []
    await this.withSet(wrap, calls, (hooks) =>
      unpack({
        image: image.reference,
        destination: bundle,
        hooks,
        ...this.stop,
        onEvent: (event) => {
          if (event.type === 'layer') read.push(event.layer)
        }
      })
    )
    return { image, bundle, rootfs: join(bundle, 'rootfs'), calls, read }
  }

  async delete(bundle: string, wrap: Wrap = unchanged): Promise<void> {
    // a stop ends a deletion that hangs; later deletions still get their time to clean up
    const stop = this.stop.signal?.aborted === true ? {} : this.stop
    await this.withSet(wrap, [], (hooks) => deleteBundle({ bundle, hooks, ...stop }))
  }

  async mount(bundle: string, wrap: Wrap = unchanged): Promise<void> {
    await this.withSet(wrap, [], (hooks) => mountBundle({ bundle, hooks, ...this.stop }))
  }

  async umount(bundle: string, wrap: Wrap = unchanged): Promise<void> {
    await this.withSet(wrap, [], (hooks) => umountBundle({ bundle, hooks, ...this.stop }))
  }

  /**
   * Turns the changes in a bundle into a layer of the image, under another tag. Returns the reference of the new image.
   */
  async repack(
    { image, bundle }: Unpacked,
    tag: string,
    more: Pick<RepackOptions, 'refreshBundle' | 'verifyDelta'> = {}
  ): Promise<Repacked> {
    const reference = `${image.layout}:${tag}`
    const { layer } = await this.withSet(unchanged, [], (hooks) =>
      repack({ image: reference, bundle, hooks, ...this.stop, ...more })
    )
    return { reference, diffId: layer?.diffId }
  }

  /** Opens the hooks for one operation and records its calls. */
  async withSet<T>(
    wrap: Wrap,
    calls: TraceRecord[],
    act: (hooks: HookSet) => Promise<T>
  ): Promise<T> {
    const set = await openHooks(this.file)
    const note = (call: TraceRecord): void => {
      calls.push(call)
      this.calls.push(call)
    }
    try {
      return await act(withTrace(wrap(set), note))
    } finally {
      await set.close()
    }
  }

  /** Ends a case: removes its bundles, as far as the hooks can. */
  async tidy(): Promise<void> {
    for (const bundle of this.bundles.splice(0)) {
      if (!existsSync(bundle)) continue
      try {
        await this.delete(bundle)
      } catch {
        // the case reports what is wrong with the hooks, and whatever is left is noticed with the scratch directory
      }
    }
    this.calls = []
  }

  newPath(kind: string): string {
    return join(this.scratch, `${kind}-${this.made++}`)
  }
}

function hasXattrs(directory: string): boolean {
  const probe = join(directory, 'probe')
  mkdirSync(directory, { recursive: true })
  writeFileSync(probe, '')
  try {
    setXattr(AT_FDCWD, fromText(probe), 'user.probe', '1')
    return true
  } catch (error) {
    if (isErrno(error, 'ENOTSUP', 'EOPNOTSUPP', 'EPERM')) return false
    throw error
  }
}
