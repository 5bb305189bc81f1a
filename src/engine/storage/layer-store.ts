/** The layers of one image in a store of hooks: which are there, which are being made, and who may make them. */
import type { HookSet } from '../../hooks/calls.ts'
import type { HookLayer, ImageContext, LayerContext } from '../../hooks/contexts.ts'
import { withFacts } from '../../errors.ts'
import { layerName } from '../extract/layer-tasks.ts'
import { lockKey, lockStore, type KeyLock } from './key-lock.ts'
import { assertApart, assertCommitted, assertDirectory, assertShown } from './layer-targets.ts'

type Place =
  | { kind: 'missing' }
  /** `target` is undefined where the hook does not say where layers go. */
  | { kind: 'committed'; target: string | undefined }
  | { kind: 'staged'; target: string | undefined }

export interface LayerStoreOptions {
  hooks: HookSet
  context: ImageContext
  /** Base layer first. */
  layers: readonly HookLayer[]
  signal: AbortSignal | undefined
}

/** Calls of hooks that run at once. */
const AT_ONCE = 8

export class LayerStore {
  private readonly hooks: HookSet
  private readonly context: ImageContext
  private readonly layers: readonly HookLayer[]
  private readonly signal: AbortSignal | undefined
  private readonly places: Place[]
  private readonly locks = new Map<number, KeyLock>()
  private storeLock: KeyLock | undefined

  constructor({ hooks, context, layers, signal }: LayerStoreOptions) {
    this.hooks = hooks
    this.context = context
    this.layers = layers
    this.signal = signal
    this.places = layers.map(() => ({ kind: 'missing' }))
  }

  /**
   * Asks who has what, and gives the layers that have to be extracted, base first: nobody else makes those now. Until
   * `finish` nobody takes away what is there.
   */
  async open(): Promise<number[]> {
    this.storeLock = await lockStore(this.hooks, 'shared', this.signal)
    const unanswered = await this.prepare()
    await this.trySkip(unanswered)
    const missing = this.needed()
    if (this.hooks.extract === 'rootfs') return missing
    for (const layer of missing) await this.lock(layer)
    await this.trySkip(missing)
    const needed = this.needed()
    for (const layer of missing) if (!needed.includes(layer)) this.unlock(layer)
    return needed
  }

  /** The directory to write the layer to; undefined where the engine has its own. */
  async stage(layer: number): Promise<string | undefined> {
    const outcome = await this.hooks.call('pre-extract', this.contextOf(layer), this.signal)
    const target = outcome.status === 'yes' ? outcome.answer.target : undefined
    if (target !== undefined)
      this.judge(layer, () => assertApart(target, [...this.targets(), this.context.layout]))
    // from here on abort is told of it: nothing else is there
    this.places[layer] = { kind: 'staged', target }
    if (target !== undefined) this.judge(layer, () => assertDirectory(target))
    return target
  }

  /** The layer is written and verified. */
  async commit(layer: number): Promise<void> {
    const target = this.target(layer)
    const context = { ...this.contextOf(layer), ...(target === undefined ? {} : { target }) }
    const outcome = await this.hooks.call('post-extract', context, this.signal)
    const committed = outcome.status === 'yes' ? (outcome.answer.target ?? target) : target
    if (committed !== undefined) this.judge(layer, () => assertCommitted(committed))
    this.places[layer] = { kind: 'committed', target: committed }
    this.unlock(layer)
  }

  /** All layers are there. */
  async finish(): Promise<void> {
    const layers = this.layers.map((layer, index) => {
      const target = this.target(index)
      return target === undefined ? layer : { ...layer, target }
    })
    await this.hooks.call('finish', { ...this.context, layers }, this.signal)
    assertShown(this.context.rootfs, this.hooks.name)
    this.unlockStore()
  }

  /** Whatever went wrong. Nothing stops this call but its own time-out. */
  async abort(): Promise<void> {
    const targets = this.places.flatMap((place) =>
      place.kind === 'staged' && place.target !== undefined ? [place.target] : []
    )
    await this.hooks.call('abort', { ...this.context, targets })
  }

  close(): void {
    for (const layer of [...this.locks.keys()]) this.unlock(layer)
    this.unlockStore()
  }

  /** Where the layer lies; undefined while it is missing, and where hooks have no say in it. */
  target(layer: number): string | undefined {
    const place = this.places[layer]!
    return place.kind === 'missing' ? undefined : place.target
  }

  isCommitted(layer: number): boolean {
    return this.places[layer]!.kind === 'committed'
  }

  private targets(): string[] {
    return this.layers.flatMap((_, layer) => this.target(layer) ?? [])
  }

  /** Gives the layers that prepare did not answer for. */
  private async prepare(): Promise<number[]> {
    const context = { ...this.context, layers: this.layers }
    const outcome = await this.hooks.call('prepare', context, this.signal)
    const answers = outcome.status === 'yes' ? outcome.answer.layers : new Map<never, never>()
    const unanswered: number[] = []
    for (const { index, chainId } of this.layers) {
      const answer = answers.get(chainId)
      if (answer === undefined) unanswered.push(index)
      else if (answer.status === 'skip') this.skip(index, answer.target)
    }
    return unanswered
  }

  private async trySkip(layers: readonly number[]): Promise<void> {
    for (let from = 0; from < layers.length; from += AT_ONCE)
      await Promise.all(layers.slice(from, from + AT_ONCE).map((layer) => this.tryOne(layer)))
  }

  private async tryOne(layer: number): Promise<void> {
    const outcome = await this.hooks.call('try-skip', this.contextOf(layer), this.signal)
    if (outcome.status === 'yes') this.skip(layer, outcome.answer.target)
  }

  private skip(layer: number, target: string | undefined): void {
    if (target !== undefined) this.judge(layer, () => assertCommitted(target))
    this.places[layer] = { kind: 'committed', target }
  }

  /** A state holds all below it; the engine's own tree is made of all layers or of none. */
  private needed(): number[] {
    const missing = this.layers.flatMap((_, layer) => (this.isCommitted(layer) ? [] : [layer]))
    switch (this.hooks.extract) {
      case 'layer':
        return missing
      case 'chain':
        return this.aboveHighest()
      case 'rootfs':
        return missing.length === 0 ? [] : this.layers.map((_, layer) => layer)
    }
  }

  private aboveHighest(): number[] {
    const highest = this.places.findLastIndex(({ kind }) => kind === 'committed')
    return this.layers.flatMap((_, layer) => (layer > highest ? [layer] : []))
  }

  /** Always base first, so that two processes cannot wait for each other. */
  private async lock(layer: number): Promise<void> {
    const { chainId } = this.layers[layer]!
    this.locks.set(layer, await lockKey(this.hooks, chainId, this.signal))
  }

  private unlock(layer: number): void {
    this.locks.get(layer)?.release()
    this.locks.delete(layer)
  }

  private unlockStore(): void {
    this.storeLock?.release()
    this.storeLock = undefined
  }

  private contextOf(layer: number): LayerContext {
    return { ...this.context, ...this.layers[layer]! }
  }

  private judge(layer: number, act: () => void): void {
    try {
      act()
    } catch (error) {
      throw withFacts(error, {
        hooks: this.hooks.name,
        layer: layerName(layer, this.layers[layer]!)
      })
    }
  }
}
