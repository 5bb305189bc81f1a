/** Clients for tests: in a hurry, and with everything they report. */
import { openRegistry } from '../../src/registry/client.ts'
import type { ClientSettings, Timing } from '../../src/registry/client-settings.ts'
import type { RegistryBlob, RegistryClient, RegistryEvent } from '../../src/registry/registry.ts'
import { OciUnpackError } from '../../src/errors.ts'
import {
  NAME,
  startFaultyRegistry,
  type Fault,
  type FaultyRegistry
} from '../support/faulty-registry.ts'

const HURRY: Partial<Timing> = {
  stall: 20_000,
  backoff: 1,
  longestBackoff: 5,
  attempts: 4,
  cleanUp: 1000
}

export interface Tried {
  client: RegistryClient
  registry: FaultyRegistry
  events: RegistryEvent[]
}

export type Given = Partial<ClientSettings> & { signal?: AbortSignal; timing?: Partial<Timing> }

/** A client of a registry on this machine. */
export function clientOf(
  host: string,
  { signal, timing, ...settings }: Given = {},
  name: string = NAME
): { client: RegistryClient; events: RegistryEvent[] } {
  const events: RegistryEvent[] = []
  const client = openRegistry(
    { host, name },
    { tls: { verify: true }, plainHttp: 'fallback', ...settings },
    { signal, timing: { ...HURRY, ...timing }, onEvent: (event) => events.push(event) }
  )
  return { client, events }
}

/** Runs with a registry that has a fault, and ends both afterwards. */
export async function withRegistry<T>(
  fault: Fault | undefined,
  work: (tried: Tried) => Promise<T>,
  given: Given = {}
): Promise<T> {
  const registry = await startFaultyRegistry(fault)
  const { client, events } = clientOf(registry.host, given)
  try {
    return await work({ client, registry, events })
  } finally {
    await client.close()
    await registry.close()
  }
}

export async function readBlob(
  client: RegistryClient,
  blob: RegistryBlob,
  offset = 0
): Promise<Buffer> {
  const pieces: Buffer[] = []
  await client.blob(blob, offset, (piece) => {
    pieces.push(Buffer.from(piece))
    return Promise.resolve()
  })
  return Buffer.concat(pieces)
}

/** What a promise is expected to fail with; anything else goes on. */
export async function failureOf(work: Promise<unknown>): Promise<OciUnpackError> {
  try {
    await work
  } catch (error) {
    if (error instanceof OciUnpackError) return error
    throw error
  }
  throw new Error('it did not fail')
}
