/** A document with credentials, by its parts: a file, or the content of a variable. */
import type { AuthFilePlace, AuthForm, AuthOrigin, AuthPlace } from './auth-places.ts'
import { credentialsUnusable } from './credentials-errors.ts'
import { readSettingsFile } from './settings-file.ts'

type Fields = Readonly<Record<string, unknown>>

export interface AuthFile {
  readonly origin: AuthOrigin
  readonly form: AuthForm
  /** By registry or namespace. */
  readonly auths: Fields
  /** Names of programs, by registry. */
  readonly helpers: Fields
  /** The name of the program that keeps all others. */
  readonly store: string | undefined
}

/** Undefined if there is none, and none was named. @throws CREDENTIALS_INVALID */
export function readAuthFile(place: AuthPlace): AuthFile | undefined {
  if ('variable' in place) return partsOf(place.content, 'current', { variable: place.variable })
  const bytes = readPlace(place)
  return bytes === undefined
    ? undefined
    : partsOf(bytes.toString('utf8'), place.form, { file: place.path })
}

function readPlace({ path, isNamed }: AuthFilePlace): Buffer | undefined {
  const bytes = readSettingsFile(path)
  if (bytes instanceof Uint8Array) return bytes
  if (bytes.isAbsent && !isNamed) return undefined
  throw credentialsUnusable({ file: path }, bytes.reason)
}

function partsOf(text: string, form: AuthForm, origin: AuthOrigin): AuthFile {
  const document = parse(text, origin)
  if (form === 'former') return { origin, form, auths: document, helpers: {}, store: undefined }
  const { auths, credHelpers, credsStore } = document
  if (credsStore !== undefined && typeof credsStore !== 'string')
    throw credentialsUnusable(origin, 'it is not a name', '/credsStore')
  return {
    origin,
    form,
    auths: fields(auths ?? {}, origin, '/auths'),
    helpers: fields(credHelpers ?? {}, origin, '/credHelpers'),
    store: credsStore === '' ? undefined : credsStore
  }
}

/** An empty file has no credentials. The message of the parser would quote what it could not read. */
function parse(content: string, origin: AuthOrigin): Fields {
  const text = content.replace(/^\uFEFF/, '')
  if (text.trim() === '') return {}
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    throw credentialsUnusable(origin, 'it is not JSON')
  }
  return fields(document, origin)
}

function fields(value: unknown, origin: AuthOrigin, pointer?: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw credentialsUnusable(origin, 'it is not a JSON object', pointer)
}
