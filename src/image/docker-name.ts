/**
 * What names of images leave out for Docker, podman and skopeo: `debian` is `docker.io/library/debian:latest`
 * (github.com/distribution/reference, ParseNormalizedNamed and TagNameOnly). Nothing is checked here.
 */

/** A name as its registry and the rest, which still has the tag and digest. */
export interface HostAndRest {
  host: string
  rest: string
}

const DOCKER = 'docker.io'
/** As older versions of docker call it. */
const FORMER_DOCKER = 'index.docker.io'

/** The part before the first slash is a host if it cannot be part of a repository's name on docker.io. */
export function splitHost(name: string): HostAndRest {
  const slash = name.indexOf('/')
  const first = name.slice(0, Math.max(slash, 0))
  const named = isHost(first) ? { host: first, rest: name.slice(slash + 1) } : undefined
  const { host, rest } = named ?? { host: DOCKER, rest: name }
  if (host !== DOCKER && host !== FORMER_DOCKER) return { host, rest }
  return { host: DOCKER, rest: rest.includes('/') ? rest : `library/${rest}` }
}

/** The full name of an image, with a tag. */
export function fullDockerName(name: string): string {
  const { host, rest } = splitHost(name)
  return `${host}/${withTag(rest)}`
}

function isHost(first: string): boolean {
  return /[.:A-Z]/.test(first) || first === 'localhost'
}

/** A colon after the last slash starts a tag. */
function withTag(rest: string): string {
  return rest.lastIndexOf(':') > rest.lastIndexOf('/') ? rest : `${rest}:latest`
}
