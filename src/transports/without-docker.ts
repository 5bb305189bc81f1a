/** Names that lack `docker://`, as docker and web pages show them. */
import { OciUnpackError } from '../errors.ts'
import { splitHost } from '../image/docker-name.ts'
import { parseReference } from '../registry/reference.ts'

const SCHEME = /^https?:\/\//i

/** Whether it is the address of a web page. */
export function hasScheme(text: string): boolean {
  return SCHEME.test(text)
}

/** A hint for a name that was read as a path: it may be an image on a registry. Undefined if it does not look so. */
export function registryHint(text: string): string | undefined {
  const name = nameOnRegistry(text)
  return name && `If an image on a registry is meant, its name is ${name}.`
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

function nameOnRegistry(text: string): string | undefined {
  const rest = text.replace(SCHEME, '').replace(/\/+$/, '')
  if (/^[./]/.test(rest) || !rest.includes('/')) return undefined
  // a path of which no part is a host would be one on docker.io
  if (splitHost(rest).host !== rest.slice(0, rest.indexOf('/'))) return undefined
  try {
    parseReference(rest)
    return `docker://${rest}`
  } catch {
    return undefined
  }
}
