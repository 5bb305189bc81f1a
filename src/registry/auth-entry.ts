/** An entry of a file with credentials: what docker, podman, cloud providers and Kubernetes write for one registry. */
import type { AuthOrigin } from './auth-places.ts'
import { credentialsUnusable } from './credentials-errors.ts'
import type { RegistryCredentials } from './registry.ts'

/** docker's name for a user whose password is an identity token. */
const TOKEN_USER = '<token>'

/** Where an entry is. */
interface Where {
  readonly origin: AuthOrigin
  readonly pointer: string
}

/** Undefined for an entry without credentials, such as docker leaves where another program keeps them. @throws CREDENTIALS_INVALID */
export function credentialsIn(entry: unknown, where: Where): RegistryCredentials | undefined {
  if (typeof entry !== 'object' || entry === null) throw unusable(where, 'it is not an object')
  const { auth, username, password, identitytoken } = entry as Record<string, unknown>
  const identityToken = textOf(identitytoken, 'identitytoken', where)
  if (identityToken !== undefined) return { identityToken }
  const encoded = textOf(auth, 'auth', where)
  if (encoded !== undefined) return decode(encoded, where)
  const user = textOf(username, 'username', where)
  return user === undefined
    ? undefined
    : namedCredentials(user, textOf(password, 'password', where) ?? '')
}

export function namedCredentials(username: string, password: string): RegistryCredentials {
  return username === TOKEN_USER ? { identityToken: password } : { username, password }
}

/** An empty text counts as absent. */
function textOf(value: unknown, name: string, where: Where): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') return value
  throw unusable(where, `${name} is not text`)
}

/** Padding may be missing. The user ends at the first colon; some programs fill the password up with NULs. */
function decode(encoded: string, where: Where): RegistryCredentials {
  if (!/^[\w+/-]+={0,2}$/.test(encoded.trim())) throw unusable(where, 'auth is not base64')
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon <= 0) throw unusable(where, 'auth is not USER:PASSWORD in base64')
  return namedCredentials(text.slice(0, colon), text.slice(colon + 1).replace(/^\0+|\0+$/g, ''))
}

function unusable({ origin, pointer }: Where, reason: string): Error {
  return credentialsUnusable(origin, reason, pointer)
}
