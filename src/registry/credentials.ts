/** Finds the credentials for a repository, where podman, skopeo and docker look for them. */
import { credentialsIn } from './auth-entry.ts'
import { readAuthFile, type AuthFile } from './auth-file.ts'
import { hostKey, matchingKeys, serversOf } from './auth-keys.ts'
import { authPlaces } from './auth-places.ts'
import { askHelper, type HelperAnswer } from './credential-helper.ts'
import { credentialsUnusable, helperMissing } from './credentials-errors.ts'
import type { RegistryCredentials, RegistrySettings, Repository } from './registry.ts'

export interface CredentialsOptions {
  readonly signal?: AbortSignal | undefined
  /** Default: the environment of this process. Programs get it, too. */
  readonly env?: NodeJS.ProcessEnv
}

/**
 * The credentials that the caller gave, or the first that a file (or a program that it names) has for the repository.
 * Undefined: none; many images can be read without.
 * @throws CREDENTIALS_INVALID, CREDENTIAL_HELPER_FAILED, ABORTED
 */
export async function findCredentials(
  repository: Repository,
  settings: RegistrySettings,
  { signal, env = process.env }: CredentialsOptions = {}
): Promise<RegistryCredentials | undefined> {
  if (settings.credentials !== undefined) return settings.credentials
  for (const place of authPlaces(settings.authfile, env)) {
    const file = readAuthFile(place)
    if (file === undefined) continue
    const search = { file, repository, env, signal }
    const found = (await fromHelper(search)) ?? fromEntries(search) ?? (await fromStore(search))
    if (found !== undefined) return found
  }
  return undefined
}

interface Search {
  readonly file: AuthFile
  readonly repository: Repository
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal | undefined
}

/** A program for this registry alone. */
async function fromHelper(search: Search): Promise<RegistryCredentials | undefined> {
  const { origin, helpers } = search.file
  const key = hostKey(Object.keys(helpers), search.repository)
  if (key === undefined) return undefined
  const name = helpers[key]
  if (typeof name !== 'string')
    throw credentialsUnusable(origin, 'it is not a name', pointer('credHelpers', key))
  const answer = await ask(name, search)
  if (answer !== 'no program') return answer
  const [server = ''] = serversOf(search.repository)
  throw helperMissing({ origin, name, server })
}

function fromEntries({ file, repository }: Search): RegistryCredentials | undefined {
  const { auths, form, origin } = file
  for (const key of matchingKeys(Object.keys(auths), repository, form)) {
    const found = credentialsIn(auths[key], { origin, pointer: pointer('auths', key) })
    if (found !== undefined) return found
  }
  return undefined
}

/** Docker's desktop programs leave this setting behind where the program is not; podman and skopeo ignore it. */
async function fromStore(search: Search): Promise<RegistryCredentials | undefined> {
  const { store } = search.file
  const answer = store === undefined ? undefined : await ask(store, search)
  return answer === 'no program' ? undefined : answer
}

async function ask(
  name: string,
  { file, repository, env, signal }: Search
): Promise<RegistryCredentials | 'no program' | undefined> {
  for (const server of serversOf(repository)) {
    const answer: HelperAnswer = await askHelper({ name, server, origin: file.origin, env, signal })
    if (answer !== 'unknown') return answer
  }
  return undefined
}

/** RFC 6901. */
function pointer(table: string, key: string): string {
  return `/${table}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
