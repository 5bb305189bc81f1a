/** The locks of one unpack: on the whole storage, on the keys of the layers that it makes, and on what joins them. */
import type { HookSet } from '../../hooks/calls.ts'
import type { HookLayer } from '../../hooks/contexts.ts'
import type { Digest } from '../../image/digest.ts'
import { lockKey, lockStorage, type StorageLock } from './storage-locks.ts'

export class LayerLocks {
  private readonly hooks: HookSet
  private readonly signal: AbortSignal | undefined
  private readonly layers = new Map<number, StorageLock>()
  private merged: StorageLock | undefined
  private storage: StorageLock | undefined

  /** @param signal stops waiting */
  constructor(hooks: HookSet, signal: AbortSignal | undefined) {
    this.hooks = hooks
    this.signal = signal
  }

  /** From here on, no other process removes layers. */
  async holdStorage(): Promise<void> {
    this.storage = await lockStorage(this.hooks, 'shared', this.signal)
  }

  releaseStorage(): void {
    this.storage?.release()
    this.storage = undefined
  }

  /** Locks are always taken base first, so that two processes cannot deadlock. */
  async hold({ index, chainId }: HookLayer): Promise<void> {
    this.layers.set(index, await lockKey(this.hooks, chainId, this.signal))
  }

  /** To be taken after those of layers. */
  async holdMerged(chainId: Digest): Promise<void> {
    this.merged = await lockKey(this.hooks, `${chainId}.merged`, this.signal)
  }

  releaseMerged(): void {
    this.merged?.release()
    this.merged = undefined
  }

  release(layer: number): void {
    this.layers.get(layer)?.release()
    this.layers.delete(layer)
  }

  close(): void {
    for (const layer of [...this.layers.keys()]) this.release(layer)
    this.releaseMerged()
    this.releaseStorage()
  }
}
