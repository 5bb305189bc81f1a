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
  { signal, log }: Terminal
): Promise<{ sourceRegistry: RegistrySettings; destinationRegistry: RegistrySettings }> {
  const forOne = takeVariable(THE_REGISTRY)
  const sourceRegistry = await settingsOf(input, SOURCE_SIDE, signal)
  const destinationRegistry = await settingsOf(input, DESTINATION_SIDE, signal)
  const isAsked = input.positionals.some((name) => name.startsWith('docker://'))
  const given = sourceRegistry.credentials ?? destinationRegistry.credentials
  if (forOne !== '' && isAsked && given === undefined) log.write('warn', NOT_FOR_ONE)
  return { sourceRegistry, destinationRegistry }
}

const NOT_FOR_ONE = `${THE_REGISTRY.variable} is not used where there may be two registries. Set ${SOURCE_SIDE.variable} or ${DESTINATION_SIDE.variable}.`

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

/** A flag counts more than the variable. */
async function credentialsOf(
  input: Input,
  side: RegistrySide,
  signal: AbortSignal
): Promise<RegistryCredentials | undefined> {
  const { prefix, variable } = side
  const inVariable = takeVariable(side)
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
  return inVariable === ''
    ? undefined
    : parseCredentials(inVariable.replace(/\r?\n$/, ''), variable)
}

/** No program that is started from here gets to see it. */
function takeVariable({ variable }: RegistrySide): string {
  const value = process.env[variable] ?? ''
  Reflect.deleteProperty(process.env, variable)
  return value
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
