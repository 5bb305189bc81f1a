/** Names that lack `docker://`, as docker and web pages show them. */
import { OciUnpackError } from '../errors.ts'
import { fullDockerName, splitHost } from '../image/docker-name.ts'
import { parseReference } from '../registry/reference.ts'
import { isThere } from '../store/file.ts'

const SCHEME = /^https?:\/\//i

/** Whether it is the address of a web page. */
export function hasScheme(text: string): boolean {
  return SCHEME.test(text)
}

/** A hint for a name that was read as a path: it may be an image on a registry. Undefined if it does not look so. */
export function registryHint(text: string): string | undefined {
  const name = nameOnRegistry(text)
  return name && meant(name)
}

/** The same also for `debian:12`, which docker takes from Docker Hub, for a path where nothing is. */
export function dockerHint(text: string): string | undefined {
  const name = nameOnRegistry(text) ?? nameOnDockerHub(text)
  return name && meant(name)
}

/**
 * Refuses a path for a new layout whose first part is not there and looks like the host of a registry.
 * @throws REFERENCE_INVALID
 */
export function assertNotOnRegistry(text: string): void {
  const name = nameOnRegistry(text)
  if (name === undefined || isThere(text.slice(0, text.indexOf('/')))) return
  throw new OciUnpackError('REFERENCE_INVALID', 'The name may mean a directory or a registry.', {
    facts: { found: text },
    hint: `Write ${name} for the registry, or ./${text} for a directory.`
  })
}

function meant(name: string): string {
  return `If an image on a registry is meant, its name is ${name}.`
}

/** @throws REFERENCE_INVALID, always; neither the user nor the password of an address is shown */
export function refuseScheme(text: string): never {
  const shown = withoutUser(text)
  throw new OciUnpackError('REFERENCE_INVALID', 'The name of an image is not a web address.', {
    facts: { found: shown },
    hint: registryHint(shown) ?? 'An image on a registry is named docker://HOST/NAME:TAG.'
  })
}

/** What comes before an @ in an address, unless a digest follows, is a user and perhaps a password. */
function withoutUser(text: string): string {
  return text.replace(/^(https?:\/\/).*@(?=[^@]*\/)/is, '$1')
}

function nameOnDockerHub(text: string): string | undefined {
  if (!/^[a-z0-9]+(?:[._-][a-z0-9]+)*:[^/]+$/.test(text)) return undefined
  return addressed(fullDockerName(text))
}

function nameOnRegistry(text: string): string | undefined {
  const rest = text.replace(SCHEME, '').replace(/\/+$/, '')
  if (/^[./]/.test(rest) || !rest.includes('/')) return undefined
  // a path of which no part is a host would be one on docker.io
  if (splitHost(rest).host !== rest.slice(0, rest.indexOf('/'))) return undefined
  return addressed(rest)
}

/** Undefined if no image can have this name. */
function addressed(name: string): string | undefined {
  try {
    parseReference(name)
    return `docker://${name}`
  } catch {
    return undefined
  }
}
