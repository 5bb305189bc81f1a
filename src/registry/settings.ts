/** From what a user says about registries, and what files say, to what a connection to one of them needs. */
import { OciUnpackError } from '../errors.ts'
import { findCertificates } from './certificates.ts'
import type { ClientSettings, TlsSettings } from './client-settings.ts'
import { findCredentials, type CredentialsOptions } from './credentials.ts'
import type { Endpoint } from './endpoints.ts'
import type { RegistrySettings } from './registry.ts'
import { systemAuthorities } from './system-authorities.ts'

/**
 * Resolves all settings for one repository. What the user says about TLS counts more than what the machine's settings say.
 * @throws USAGE for settings of another type; CREDENTIALS_INVALID, CREDENTIAL_HELPER_FAILED, CERTIFICATES_INVALID, ABORTED
 */
export async function clientSettings(
  endpoint: Endpoint,
  settings: RegistrySettings = {},
  { signal, env = process.env }: CredentialsOptions = {}
): Promise<ClientSettings> {
  assertTypes({ ...settings })
  const {
    authfile,
    certDir,
    credentials,
    tlsVerify = endpoint.isInsecure ? false : undefined
  } = settings
  const given = endpoint.isNamed ? { authfile, credentials } : { authfile }
  const mayBePlain = tlsVerify === false || (tlsVerify === undefined && isLoopback(endpoint.host))
  return {
    credentials: await findCredentials(endpoint, given, { signal, env }),
    tls: tlsSettings(endpoint, { certDir, tlsVerify }, env),
    plainHttp: mayBePlain ? 'fallback' : 'never'
  }
}

function tlsSettings(
  { host }: Endpoint,
  { certDir, tlsVerify }: RegistrySettings,
  env: NodeJS.ProcessEnv
): TlsSettings {
  const { ca, own } = findCertificates(host, certDir, env)
  if (tlsVerify === false) return { verify: false, ...own }
  return { verify: true, ca: [...systemAuthorities(env), ...ca], ...own }
}

/** Whether nobody can listen on the way: localhost, 127.0.0.0/8 or ::1, however it is written. */
function isLoopback(host: string): boolean {
  const { hostname } = new URL(`http://${host}`)
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname)
}

/** JavaScript callers may give anything. Nothing of it is shown. @throws USAGE */
function assertTypes(settings: Readonly<Record<string, unknown>>): void {
  const { authfile, credentials, certDir, tlsVerify } = settings
  if (!isTextOrNothing(authfile)) throw wrong('authfile', 'text')
  if (!isTextOrNothing(certDir)) throw wrong('certDir', 'text')
  if (tlsVerify !== undefined && typeof tlsVerify !== 'boolean')
    throw wrong('tlsVerify', 'a boolean')
  if (credentials !== undefined && !areCredentials(credentials))
    throw wrong('credentials', 'a username and a password, or an identity token')
}

function isTextOrNothing(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

function areCredentials(value: unknown): boolean {
  const { username, password, identityToken } = (value ?? {}) as Readonly<Record<string, unknown>>
  if (identityToken !== undefined) return typeof identityToken === 'string'
  return typeof username === 'string' && typeof password === 'string'
}

function wrong(option: string, expected: string): OciUnpackError {
  return new OciUnpackError('USAGE', `The option registry.${option} must be ${expected}.`)
}
