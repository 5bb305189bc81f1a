/** Blobs that arrive from a registry while threads read them: the connections are in a thread of their own. */
import { Worker } from 'node:worker_threads'
import { failArrival, newArrival, stopArrival } from '../store/arrival-memory.ts'
import type { FromDeliverer, Order, Setup } from './delivery-messages.ts'
import type { Endpoint } from './endpoints.ts'
import type { RegistryBlob, RegistryEvent, RegistrySettings } from './registry.ts'

export type DeliveredKind = Order['kind']

export interface DeliveryOptions {
  endpoint: Endpoint
  settings: RegistrySettings
  onEvent: (event: RegistryEvent) => void
  signal: AbortSignal | undefined
}

export class Deliveries {
  private readonly options: DeliveryOptions
  private readonly expected: SharedArrayBuffer[] = []
  private worker: Worker | undefined
  /** How whatever is expected ends, once there are no more deliveries. */
  private ending: ((memory: SharedArrayBuffer) => void) | undefined
  private readonly stop = (): void => this.end(stopArrival)

  constructor(options: DeliveryOptions) {
    this.options = options
    options.signal?.addEventListener('abort', this.stop)
  }

  /** Memory for `BlobSource.arriving`. Nothing is fetched before somebody reads. */
  expect(blob: RegistryBlob, kind: DeliveredKind): SharedArrayBuffer {
    const memory = newArrival(blob.size)
    if (this.ending === undefined) {
      this.expected.push(memory)
      this.worker ??= this.start()
      this.worker.postMessage({ blob, kind, memory } satisfies Order)
    } else this.ending(memory)
    return memory
  }

  /** Whoever still reads gets ABORTED. */
  close(): void {
    this.options.signal?.removeEventListener('abort', this.stop)
    this.stop()
  }

  private start(): Worker {
    const { endpoint, settings, onEvent } = this.options
    const worker = new Worker(new URL('./registry-thread.js', import.meta.url), {
      workerData: { endpoint, settings } satisfies Setup,
      trackUnmanagedFds: false
    })
    worker.on('message', ({ event }: FromDeliverer) => onEvent(event))
    worker.on('error', (error) => this.end((memory) => failArrival(memory, error)))
    return worker
  }

  private end(ending: (memory: SharedArrayBuffer) => void): void {
    this.ending ??= ending
    for (const memory of this.expected.splice(0)) this.ending(memory)
    void this.worker?.terminate()
    this.worker = undefined
  }
}
