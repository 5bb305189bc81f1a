/** The authorities that this machine trusts, such as a company's own, which Node does not know. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readSettingsFile } from './settings-file.ts'
import { nonEmpty } from './user-directories.ts'

/** Where distributions keep them: Debian and its kin, Fedora, openSUSE, CentOS 7, Alpine; as in Go's crypto/x509. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem'
]

const LIMIT_BYTES = 16 * 1024 * 1024

/**
 * Files in PEM form. $SSL_CERT_FILE stands in for the file of the distribution, and $SSL_CERT_DIR names directories with
 * more, as for Go programs; $NODE_EXTRA_CA_CERTS adds to them. What cannot be read is left out, because the registry
 * may not need it.
 */
export function systemAuthorities(env: NodeJS.ProcessEnv): Buffer[] {
  const named = nonEmpty(env.SSL_CERT_FILE)
  const bundle = first(named === undefined ? BUNDLES : [named])
  const directories = env.SSL_CERT_DIR?.split(':').filter((path) => path !== '') ?? []
  const extra = nonEmpty(env.NODE_EXTRA_CA_CERTS)
  const more = [...directories.flatMap(filesIn), ...(extra === undefined ? [] : [extra])]
  return [...bundle, ...more.flatMap(pem)]
}

/** The first that can be read. */
function first(paths: readonly string[]): Buffer[] {
  for (const path of paths) {
    const found = pem(path)
    if (found.length > 0) return found
  }
  return []
}

function pem(path: string): Buffer[] {
  const bytes = readSettingsFile(path, LIMIT_BYTES)
  return bytes instanceof Uint8Array && bytes.includes('-----BEGIN') ? [bytes] : []
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .sort()
      .map((name) => join(directory, name))
  } catch {
    return []
  }
}
