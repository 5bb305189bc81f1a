/**
 * Whose credentials an entry has. Keys are `HOST`, or `HOST/NAMESPACE` down to a repository, as podman and skopeo write
 * them; docker and Kubernetes also write addresses such as `https://index.docker.io/v1/`.
 */
import type { AuthForm } from './auth-places.ts'
import type { Repository } from './registry.ts'

const DOCKER = 'docker.io'
/** Other names of the registry behind docker.io. */
const DOCKER_HOSTS = ['index.docker.io', 'registry-1.docker.io', DOCKER]

/** The keys of all entries for a repository, the most specific first. */
export function matchingKeys(
  keys: readonly string[],
  repository: Repository,
  form: AuthForm
): string[] {
  const wanted = form === 'former' ? [repository.host] : namesOf(repository)
  const found = wanted.flatMap((name) => [
    ...keys.filter((key) => key === name),
    ...keys.filter((key) => plainKey(key, form) === plainKey(name, 'current'))
  ])
  return [...new Set(found)]
}

/** The key of a host in `credHelpers`, where there are no namespaces. */
export function hostKey(keys: readonly string[], { host }: Repository): string | undefined {
  return matchingKeys(keys, { host, name: '' }, 'former')[0]
}

/** By which names programs that keep credentials may know the host, as docker and podman give them. */
export function serversOf({ host }: Repository): string[] {
  return DOCKER_HOSTS.includes(host.toLowerCase())
    ? ['https://index.docker.io/v1/', DOCKER]
    : [host]
}

/** `quay.io/a/b`, `quay.io/a`, `quay.io`. */
function namesOf({ host, name }: Repository): string[] {
  const parts = [host, ...name.split('/')]
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('/'))
}

/** Without a scheme; an address with one is about the whole host, whatever its path is. */
function plainKey(key: string, form: AuthForm): string {
  const address = key.replace(/^https?:\/\//i, '')
  const isWhole = address !== key || form === 'former'
  const [host = '', ...path] = address.replace(/(?:\/v[12])?\/$/, '').split('/')
  const known = DOCKER_HOSTS.includes(host.toLowerCase()) ? DOCKER : host.toLowerCase()
  return [known, ...(isWhole ? [] : path)].join('/')
}
