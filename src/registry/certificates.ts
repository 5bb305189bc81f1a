/** What proves who a registry and this client are: containers-certs.d(5), which docker and podman share. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { certificatesUnusable } from './certificates-errors.ts'
import { readSettingsFile } from './settings-file.ts'
import { homeIn, inDirectory } from './user-directories.ts'

/** In PEM form. */
export interface Certificates {
  /** Authorities that may say who the registry is. */
  readonly ca: readonly Buffer[]
  /** Of this client, with its key. */
  readonly own?: { readonly cert: Buffer; readonly key: Buffer }
}

/**
 * The certificates in the directory that was named, or in the first that exists for the host.
 * @throws CERTIFICATES_INVALID also if the named directory cannot be read
 */
export function findCertificates(
  host: string,
  named: string | undefined,
  env: NodeJS.ProcessEnv
): Certificates {
  if (named !== undefined) return readDirectory(named, list(named))
  for (const directory of certificateDirectories(host, env)) {
    const names = listIfThere(directory)
    if (names !== undefined) return readDirectory(directory, names)
  }
  return { ca: [] }
}

/** In the order of podman. @param host with its port, if the name of the image has one */
export function certificateDirectories(host: string, env: NodeJS.ProcessEnv): string[] {
  const own = inDirectory(homeIn(env), '.config/containers/certs.d')
  const all = ['/etc/containers/certs.d', '/etc/docker/certs.d']
  return [...(own === undefined ? [] : [own]), ...all].map((directory) => join(directory, host))
}

function listIfThere(directory: string): string[] | undefined {
  try {
    return readdirSync(directory).sort()
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(code)) return undefined
    throw certificatesUnusable(directory, `reading it failed: ${code}`)
  }
}

function list(directory: string): string[] {
  const names = listIfThere(directory)
  if (names !== undefined) return names
  throw certificatesUnusable(directory, 'it is not a directory that this user may read')
}

/** Of several certificates of this client, the first by name counts. */
function readDirectory(directory: string, names: readonly string[]): Certificates {
  const ending = (suffix: string): string[] => names.filter((name) => name.endsWith(suffix))
  const ca = ending('.crt').map((name) => readCertificates(join(directory, name)))
  const pairs = ending('.cert').map((name) => readPair(directory, name.slice(0, -'.cert'.length)))
  for (const key of ending('.key')) {
    const cert = `${key.slice(0, -'.key'.length)}.cert`
    if (!names.includes(cert))
      throw certificatesUnusable(join(directory, key), `there is no ${cert} beside it`)
  }
  return { ca, ...(pairs[0] === undefined ? {} : { own: pairs[0] }) }
}

function readPair(directory: string, name: string): { cert: Buffer; key: Buffer } {
  const paths = { cert: join(directory, `${name}.cert`), key: join(directory, `${name}.key`) }
  const cert = readCertificates(paths.cert)
  const key = read(paths.key)
  if (!isKeyOf(key, cert, paths.key))
    throw certificatesUnusable(paths.key, `it does not belong to ${name}.cert`)
  return { cert, key }
}

/** The first certificate of a file is that of the client; others lead to its authority. */
function isKeyOf(key: Buffer, cert: Buffer, path: string): boolean {
  const first = new X509Certificate(cert)
  try {
    return first.checkPrivateKey(createPrivateKey(key))
  } catch {
    throw certificatesUnusable(path, 'it is not a private key in PEM form without a passphrase')
  }
}

const CERTIFICATE = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]+-----END \1-----/g

function readCertificates(path: string): Buffer {
  const bytes = read(path)
  const found = bytes.toString('latin1').match(CERTIFICATE) ?? []
  if (found.length === 0 || !found.every(isCertificate))
    throw certificatesUnusable(path, 'it does not consist of certificates in PEM form')
  return bytes
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).subject !== ''
  } catch {
    return false
  }
}

function read(path: string): Buffer {
  const bytes = readSettingsFile(path)
  if (bytes instanceof Uint8Array) return bytes
  throw certificatesUnusable(path, bytes.reason)
}
