/** The flags and variables for registries as options of the library. Loaded only when a command runs. */
import { OciUnpackError } from '../errors.ts'
import type { RegistryCredentials, RegistrySettings } from '../index.ts'
import { text, type Input, type Terminal } from './command.ts'
import { wholeNumber } from './flag-values.ts'
import { DESTINATION_SIDE, SOURCE_SIDE, THE_REGISTRY, type RegistrySide } from './registry-flags.ts'

/** For a command with one registry. @throws USAGE, ABORTED */
export async function registryOption(
  input: Input,
  { signal }: Terminal
): Promise<{ registry: RegistrySettings }> {
  return { registry: await settingsOf(input, THE_REGISTRY, signal) }
}

/** For a command with two. @throws USAGE, ABORTED */
export async function twoRegistriesOptions(
  input: Input,
  { signal }: Terminal
): Promise<{ sourceRegistry: RegistrySettings; destinationRegistry: RegistrySettings }> {
  return {
    sourceRegistry: await settingsOf(input, SOURCE_SIDE, signal),
    destinationRegistry: await settingsOf(input, DESTINATION_SIDE, signal)
  }
}

async function settingsOf(
  input: Input,
  side: RegistrySide,
  signal: AbortSignal
): Promise<RegistrySettings> {
  const { prefix } = side
  const verify = text(input, `${prefix}tls-verify`)
  return {
    authfile: text(input, `${prefix}authfile`) ?? text(input, 'authfile'),
    credentials: await credentialsOf(input, side, signal),
    certDir: text(input, `${prefix}cert-dir`),
    tlsVerify: verify === undefined ? undefined : verify === 'true'
  }
}

/** A flag counts more than the variable, which no program that is started from here gets to see. */
async function credentialsOf(
  input: Input,
  { prefix, variable }: RegistrySide,
  signal: AbortSignal
): Promise<RegistryCredentials | undefined> {
  const inVariable = process.env[variable]
  Reflect.deleteProperty(process.env, variable)
  const given = text(input, `${prefix}creds`)
  const descriptor = wholeNumber(input, `${prefix}creds-fd`)
  if (given !== undefined && descriptor !== undefined)
    throw new OciUnpackError(
      'USAGE',
      `--${prefix}creds and --${prefix}creds-fd cannot be used together.`
    )
  if (given !== undefined) return parseCredentials(given, `--${prefix}creds`)
  if (descriptor !== undefined) {
    const { readSecretLine } = await import('./read-secret-line.ts')
    return parseCredentials(await readSecretLine(descriptor, signal), `Descriptor ${descriptor}`)
  }
  return inVariable === undefined || inVariable === ''
    ? undefined
    : parseCredentials(inVariable.replace(/\r?\n$/, ''), variable)
}

/** The user ends at the first colon. What was found is not shown. */
function parseCredentials(found: string, where: string): RegistryCredentials {
  const colon = found.indexOf(':')
  const username = colon < 0 ? found : found.slice(0, colon)
  if (username !== '') return { username, password: colon < 0 ? '' : found.slice(colon + 1) }
  throw new OciUnpackError('USAGE', `${where} must contain USER[:PASSWORD].`, {
    hint: 'If it comes from a variable, is the variable set?'
  })
}
