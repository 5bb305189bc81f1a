/** Entry point of the thread of a registry's connections: delivers blobs to whoever reads them. */
import { parentPort, workerData } from 'node:worker_threads'
import { ArrivalSender, Superseded, type Delivery } from '../store/arrival-sender.ts'
import { connect } from './connect.ts'
import type { FromDeliverer, Order, Setup } from './delivery-messages.ts'
import type { RegistryClient } from './registry.ts'

const port = parentPort!
const { endpoint, settings } = workerData as Setup
const onEvent = (event: FromDeliverer['event']): void =>
  port.postMessage({ event } satisfies FromDeliverer)

let connection: Promise<RegistryClient> | undefined

port.on('message', (order: Order) => void serve(order))

/** Until there will be no more deliveries. */
async function serve(order: Order): Promise<void> {
  const sender = new ArrivalSender(order.memory)
  for (;;) {
    const delivery = await sender.asked()
    if (delivery === undefined) return
    try {
      const client = await (connection ??= connect(endpoint, settings, { onEvent }))
      await deliver(client, order, delivery, (bytes) => sender.send(delivery, bytes))
      sender.complete(delivery)
    } catch (error) {
      if (!(error instanceof Superseded)) sender.fail(delivery, error)
    }
  }
}

async function deliver(
  client: RegistryClient,
  { blob, kind }: Order,
  { from }: Delivery,
  take: (bytes: Buffer) => Promise<void>
): Promise<void> {
  if (kind === 'blob') return client.blob(blob, from, take)
  const { bytes } = await client.document(blob.digest, blob.size)
  return take(bytes.subarray(from))
}
