/** A bundle that is being made with hooks: which of its layers exist, which are being made, and what hooks are told. */
import { ROOTFS_DIRECTORY } from '../../bundle/files.ts'
import { OciUnpackError, type Facts } from '../../errors.ts'
import { said, type HookSet, type Said } from '../../hooks/calls.ts'
import type { HookLayer, ImageContext } from '../../hooks/contexts.ts'
import { hookName } from '../../hooks/points.ts'
import { chainIds } from '../../image/digest.ts'
import { stringifyJson } from '../../image/go-json.ts'
import type { Json } from '../../image/json.ts'
import { contextAt, type BundleSite } from '../bundle/bundle-site.ts'
import { writeOrigin } from '../bundle/origin.ts'
import { isMountPoint } from '../bundle/shown-rootfs.ts'
import type { PlainChoice } from '../../plan/policy/overlay.ts'
import type { Job } from '../extract/job.ts'
import type { Extraction, Place } from '../extract/layer-places.ts'
import { layerName } from '../extract/layer-tasks.ts'
import { withWorkspaceIn } from '../place/with-workspace.ts'
import { checkApart, checkCommitted, checkShown, checkStaged } from './check-targets.ts'
import { findLayers } from './find-layers.ts'
import { findMerged } from './find-merged.ts'
import { hookLayers, topChainId } from './hook-contexts.ts'
import type { NewBundle, TreeManifest, UpgradedFrom } from './layer-storage.ts'
import { imageSize, unpackedSizes } from './unpacked-sizes.ts'
import { imageFormat } from './image-format.ts'
import { layerIndexes } from './layer-index-cache.ts'
import { LayerLocks } from './layer-locks.ts'

interface Known {
  state: 'staged' | 'committed'
  place: Place
}

export class HookedBundle implements NewBundle {
  readonly fd: number
  readonly path: string
  readonly destination: string
  readonly extraction: Extraction
  readonly treeManifest: TreeManifest
  private readonly hooks: HookSet
  private readonly context: ImageContext
  private readonly site: BundleSite
  private readonly signal: AbortSignal | undefined
  private readonly layers: readonly HookLayer[]
  private readonly locks: LayerLocks
  /** By layer; missing ones are not included. */
  private readonly known = new Map<number, Known>()
  /** The path of the image that joins all layers, if the hooks keep images. */
  private merged: string | undefined

  constructor(hooks: HookSet, job: Job, context: ImageContext, site: BundleSite) {
    const { image, settings } = job
    const sizes = unpackedSizes(job)
    this.fd = site.fd
    this.path = site.path
    this.destination = context.bundle
    this.extraction = extractionOf(hooks, site, job, () => this.merged!)
    this.treeManifest = treeManifestOf(hooks, settings.policy, topChainId(image))
    this.hooks = hooks
    this.context = { ...context, ...imageSize(sizes) }
    this.site = site
    this.signal = settings.signal
    this.layers = hookLayers(image, sizes)
    this.locks = new LayerLocks(hooks, settings.signal)
  }

  async find(): Promise<readonly number[] | undefined> {
    const { hooks, context, layers, locks, signal } = this
    const search = { hooks, context, layers, locks, signal }
    const { found, missing } = await findLayers(search)
    for (const [layer, target] of found) this.know(layer, 'committed', target)
    const merged = await findMerged(
      search,
      layers.map(({ index }) => found.get(index))
    )
    this.merged = merged?.path
    return missing.length === 0 && merged?.isThere !== false ? undefined : missing
  }

  async stage(layer: number): Promise<Place> {
    const context = { ...this.context, ...this.layers[layer]! }
    const outcome = await this.hooks.call('pre-extract', context, this.signal)
    const target = outcome.status === 'yes' ? outcome.answer.target : undefined
    const facts = this.factsOf(layer, outcome)
    if (target !== undefined) checkApart(target, this.taken(), facts)
    // from here on abort is told about it, because nothing else is there
    const place = this.know(layer, 'staged', target)
    if (target !== undefined) checkStaged(this.hooks.extract, target, facts)
    return place
  }

  async commit(layer: number): Promise<void> {
    const target = this.target(layer)
    const context = {
      ...this.context,
      ...this.layers[layer]!,
      ...(target === undefined ? {} : { target })
    }
    const outcome = await this.hooks.call('post-extract', context, this.signal)
    const committed = outcome.status === 'yes' ? (outcome.answer.target ?? target) : target
    if (committed !== undefined)
      checkCommitted(
        this.hooks.extract,
        committed,
        this.layers[layer]!,
        this.factsOf(layer, outcome)
      )
    this.know(layer, 'committed', committed)
    this.locks.release(layer)
  }

  committed(layer: number): Place {
    return this.known.get(layer)!.place
  }

  async show(): Promise<void> {
    const layers = this.layers.map((layer) => {
      const target = this.target(layer.index)
      return target === undefined ? layer : { ...layer, target }
    })
    const merged = this.merged === undefined ? {} : { merged: this.merged }
    const context = { ...this.context, layers, ...merged }
    const outcome = await this.hooks.call('finish', context, this.signal)
    checkShown(this.context.rootfs, { hooks: this.hooks.name, ...said(outcome) })
    this.locks.releaseMerged()
    this.locks.releaseStorage()
    writeOrigin(this.site, this.hooks, isMountPoint(this.destination) ? 'mount' : 'directory')
  }

  async runtimeConfig(made: string): Promise<string | Uint8Array> {
    const runtimeConfig = JSON.parse(made) as Readonly<Record<string, Json>>
    const context = { ...this.context, runtimeConfig }
    const outcome = await this.hooks.call('runtime-config', context, this.signal)
    const other = outcome.status === 'yes' ? outcome.answer.config : undefined
    return other === undefined ? made : configText(other, this.hooks.name, outcome)
  }

  async upgraded({ bundle, manifestDigest }: UpgradedFrom): Promise<void> {
    const old = { oldBundle: bundle, oldRootfs: contextAt(bundle).rootfs }
    const context = { ...this.context, ...old, oldManifestDigest: manifestDigest }
    await this.hooks.call('upgraded', context, this.signal)
  }

  /** Only its own time-out stops this call. */
  async abort(): Promise<void> {
    const staged = [...this.known].filter(([, { state }]) => state === 'staged')
    const targets = staged.flatMap(([layer]) => this.target(layer) ?? [])
    await this.hooks.call('abort', { ...this.context, targets })
  }

  close(): void {
    this.locks.close()
  }

  private know(layer: number, state: Known['state'], target: string | undefined): Place {
    const place = placeOf(this.hooks, state, target)
    this.known.set(layer, { state, place })
    return place
  }

  /** Undefined while the layer is missing, or if hooks do not decide its place. */
  private target(layer: number): string | undefined {
    const place = this.known.get(layer)?.place
    return place === undefined || place.kind === 'rootfs' ? undefined : place.path
  }

  /** Where nothing else may be put. */
  private taken(): string[] {
    const targets = this.layers.flatMap(({ index }) => this.target(index) ?? [])
    return [...targets, ...(this.merged === undefined ? [] : [this.merged]), this.context.layout]
  }

  private factsOf(layer: number, outcome: Said): Facts {
    const { hooks, layers } = this
    return { hooks: hooks.name, layer: layerName(layer, layers[layer]!), ...said(outcome) }
  }
}

/** Hooks that get a directory may have made an image of it when they commit it. */
function placeOf({ extract }: HookSet, state: Known['state'], target: string | undefined): Place {
  if (target === undefined) return { kind: 'rootfs' }
  if (extract === 'image') return { kind: 'image', path: target, format: 'erofs' }
  const format = state === 'committed' && extract === 'layer' ? imageFormat(target) : undefined
  return format === undefined
    ? { kind: 'directory', path: target }
    : { kind: 'image', path: target, format }
}

function extractionOf(
  { extract, whiteouts, name }: HookSet,
  { fd, state, context }: BundleSite,
  { image, settings }: Job,
  merged: () => string
): Extraction {
  switch (extract) {
    case 'layer':
      return { kind: 'layer', whiteouts: whiteouts! }
    case 'chain':
      return { kind: 'chain', spools: state }
    case 'image': {
      const chain = chainIds(image.config.rootfs.diff_ids)
      return { kind: 'image', merged, indexes: layerIndexes(name, chain) }
    }
    case 'rootfs':
      return {
        kind: 'rootfs',
        within: (act) =>
          withWorkspaceIn(fd, context.bundle, settings.onEvent, async (workspace) => {
            await act(workspace)
            workspace.publish([ROOTFS_DIRECTORY])
          })
      }
  }
}

/** The engine's own tree also depends on id maps and other options, so other bundles cannot share its tree manifest. */
function treeManifestOf(
  { manifest, extract, name }: HookSet,
  policy: PlainChoice,
  chainId: string | undefined
): TreeManifest {
  if (manifest === 'never') return { kind: 'none' }
  if (extract === 'rootfs') return { kind: 'own' }
  return { kind: 'shared', storage: name, policy: policy.kind, chainId: chainId ?? 'empty' }
}

/** Checks only what every runtime needs (runtime-spec config.md); the rest is between the hook and the runtime. */
function configText(config: Readonly<Record<string, Json>>, hooks: string, outcome: Said): Buffer {
  const { ociVersion, root } = config
  const path = typeof root === 'object' && root !== null && 'path' in root ? root.path : undefined
  if (typeof ociVersion === 'string' && typeof path === 'string')
    return stringifyJson(config, { kind: 'any' })
  throw new OciUnpackError('HOOK_ANSWER_INVALID', 'The answer of a hook cannot be used.', {
    facts: {
      hooks,
      hook: hookName('runtime-config'),
      reason: 'it is not a runtime configuration',
      ...said(outcome)
    },
    hint: 'A config.json must contain at least the string "ociVersion" and a "root" with a "path".'
  })
}
