/** Explains a schema error in terms of a hooks.toml: which key is wrong, where, and what was likely meant. */
import { reasonFor, type SchemaError } from '../image/validate.ts'
import { nearest } from './nearest.ts'
import { ALL_POINTS, hookName } from './points.ts'
import type { KeyPath } from '../toml.ts'

export interface Complaint {
  readonly path: KeyPath
  readonly reason: string
  readonly hint: string | undefined
}

export function complaintOf(error: SchemaError): Complaint {
  const path = error.instancePath.split('/').slice(1).map(unescapePointer)
  const unknown = error.params.additionalProperty
  if (typeof unknown === 'string') return unknownKey([...path, unknown], error)
  const misspelt = missingBut(error)
  if (misspelt !== undefined) return unknownKey([...path, misspelt], error)
  const reason = `${nameOf(path, error)} ${reasonFor(error)}`
  return { path: keyOf(path), reason, hint: meant(String(error.data), wordsOf(error)) }
}

/** If one key is missing and another is unknown, the unknown one is reported. */
function missingBut({ params, data, parentSchema }: SchemaError): string | undefined {
  if (params.missingProperty === undefined) return undefined
  const known = Object.keys(parentSchema.properties ?? {})
  return Object.keys(data as object).find((key) => !known.includes(key))
}

function unknownKey(path: KeyPath, error: SchemaError): Complaint {
  const table = path.slice(0, -1)
  const known = Object.keys(error.parentSchema.properties ?? {})
  const key = nearest(path.at(-1)!, known)
  const word = key === undefined ? nearest(path.join('.'), HOOK_NAMES) : [...table, key].join('.')
  return { path, reason: reasonForUnknown(path, error), hint: likely(word) }
}

const HOOK_NAMES = ALL_POINTS.map(hookName)

function reasonForUnknown(path: KeyPath, error: SchemaError): string {
  const name = `"${path.join('.')}"`
  if (path[0] === 'env') return `${name}: [env] must be ${error.parentSchema.description ?? ''}`
  if (path.at(-1) === 'fallback') return `${name} is unknown: only delta-list has a fallback`
  return `${name} is unknown`
}

/** Entries of a list are on the line of their list. */
function keyOf(path: KeyPath): KeyPath {
  return path.filter((key) => !/^\d+$/.test(key))
}

function nameOf(path: KeyPath, error: SchemaError): string {
  const missing = error.params.missingProperty
  const keys = typeof missing === 'string' ? [...path, missing] : path
  return `"${keys.join('.')}"`
}

function wordsOf({ parentSchema }: SchemaError): readonly string[] {
  return (parentSchema.enum ?? []).map(String)
}

function meant(found: string, known: readonly string[]): string | undefined {
  return likely(nearest(found, known))
}

function likely(word: string | undefined): string | undefined {
  return word === undefined ? undefined : `Did you mean "${word}"?`
}

/** RFC 6901 section 4. */
function unescapePointer(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}
