/** Checks documents against compiled schemas, and explains what is wrong. */
import { display, fromText } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { Json } from './json.ts'

/** An error of a compiled schema; `parentSchema` is the schema whose `keyword` was violated. */
export interface SchemaError {
  instancePath: string
  keyword: string
  params: Readonly<Record<string, unknown>>
  parentSchema: {
    description?: string
    properties?: Readonly<Record<string, { description?: string }>>
    enum?: readonly unknown[]
  }
  data: unknown
}

/** A compiled schema. If it returns false, the function has the errors, in the order in which they were found. */
export interface SchemaValidator {
  (data: unknown): boolean
  errors?: SchemaError[] | null
}

/**
 * @throws DOCUMENT_INVALID with the JSON pointer (RFC 6901) of the first field that violates the schema, and the reason
 */
export function assertValid(validate: SchemaValidator, value: Json, file: string): void {
  if (validate(value)) return
  const error = validate.errors?.[0]
  if (error === undefined) throw new Error('a validator refused a document without saying why')
  throw documentInvalid(file, pointerOf(error), reasonFor(error))
}

/** The error for a document that its specification forbids; `pointer` is a JSON pointer, `reason` a clause. */
export function documentInvalid(
  file: string,
  pointer: string,
  reason: string,
  cause?: unknown
): OciUnpackError {
  return new OciUnpackError('DOCUMENT_INVALID', 'A document of the image is not valid.', {
    facts: { file, pointer: printable(pointer), reason: printable(reason) },
    ...(cause === undefined ? {} : { cause })
  })
}

/** Text of a document, safe for a terminal: control characters are escaped. */
export function printable(text: string): string {
  return display(fromText(text))
}

function pointerOf(error: SchemaError): string {
  const { missingProperty, additionalProperty } = error.params
  const field = missingProperty ?? additionalProperty
  return typeof field === 'string' ? `${error.instancePath}/${escaped(field)}` : error.instancePath
}

/** RFC 6901, section 3. */
function escaped(field: string): string {
  return field.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** What is wrong with the field of the error, as a clause. */
export function reasonFor(error: SchemaError): string {
  const missing = error.params['missingProperty']
  if (typeof missing === 'string') return `is missing; ${rule(requiredField(error, missing))}`
  if (typeof error.params['additionalProperty'] === 'string') return 'is not a known field'
  return `${rule(error.parentSchema.description)}, found ${show(error.data)}`
}

function requiredField(error: SchemaError, name: string): string | undefined {
  return error.parentSchema.properties?.[name]?.description
}

function rule(description = 'as the specification requires'): string {
  return `must be ${description}`
}

/** A value in a message. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value === 'string') return JSON.stringify(shorten(value))
  return String(value)
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`
}
