/** Connects to a repository with what the user, and the files of other programs, say about its registry. */
import { OciUnpackError } from '../errors.ts'
import { openRegistry } from './client.ts'
import { endpointsToRead, endpointToWrite, type Endpoint } from './endpoints.ts'
import { readRegistryRules } from './registries-conf.ts'
import type { Reference } from './reference.ts'
import type { RegistryClient, RegistryEvent, RegistrySettings, Repository } from './registry.ts'
import { clientSettings } from './settings.ts'

export interface ConnectOptions {
  signal?: AbortSignal | undefined
  onEvent: (event: RegistryEvent) => void
}

export interface Connection {
  client: RegistryClient
  /** What it leads to, for further connections. */
  endpoint: Endpoint
}

/**
 * To the first of the mirrors that has the image, or else to the registry itself.
 * @throws REGISTRY_BLOCKED, REGISTRIES_CONF_INVALID, and what `connect` throws
 */
export async function connectToRead(
  reference: Reference,
  settings: RegistrySettings,
  options: ConnectOptions
): Promise<Connection> {
  const endpoints = endpointsToRead(reference, readRegistryRules(process.env))
  const own = endpoints.pop()!
  for (const endpoint of endpoints) {
    const client = await connect(endpoint, settings, options)
    if (await hasImage(client, reference, endpoint, options)) return { client, endpoint }
    await client.close()
  }
  return { client: await connect(own, settings, options), endpoint: own }
}

/** To the registry itself. @throws as for reading */
export async function connectToWrite(
  repository: Repository,
  settings: RegistrySettings,
  options: ConnectOptions
): Promise<Connection> {
  const endpoint = endpointToWrite(repository, readRegistryRules(process.env))
  return { client: await connect(endpoint, settings, options), endpoint }
}

/** @throws CREDENTIALS_INVALID, CREDENTIAL_HELPER_FAILED, CERTIFICATES_INVALID, USAGE, ABORTED */
export async function connect(
  endpoint: Endpoint,
  settings: RegistrySettings,
  options: ConnectOptions
): Promise<RegistryClient> {
  const { signal } = options
  return openRegistry(endpoint, await clientSettings(endpoint, settings, { signal }), options)
}

/** A mirror that cannot be reached is not a failure. */
async function hasImage(
  client: RegistryClient,
  { tag, digest }: Reference,
  { host }: Endpoint,
  { onEvent }: ConnectOptions
): Promise<boolean> {
  try {
    return await client.hasDocument(digest ?? tag ?? 'latest')
  } catch (error) {
    if (!(error instanceof OciUnpackError) || error.code === 'ABORTED') throw error
    const message = 'A mirror of the registry was not used.'
    onEvent({ type: 'warning', message, facts: { host, reason: error.message } })
    return false
  }
}
