/** JSON as Go writes it. */
import { compareBytes, fromText } from '../bytes.ts'
import type { Json } from './json.ts'
import type { Shape } from './shape.ts'

/** The document of `jsonText` with the newline that Go's encoder writes after it. */
export function stringifyJson(value: Json, shape: Shape): Buffer {
  return Buffer.from(jsonText(value, shape) + '\n')
}

/**
 * Compact JSON in the form of Go's encoder. Keys come in the shape's order, followed by unknown ones in their own order.
 * Keys that are data (labels, annotations) are sorted by their UTF-8 bytes.
 */
export function jsonText(value: Json, shape: Shape): string {
  if (typeof value === 'bigint') return value.toString()
  if (value === null || typeof value !== 'object') return escapeAsGo(JSON.stringify(value))
  if (Array.isArray(value)) {
    const items = (value as readonly Json[]).map((item, at) => jsonText(item, itemShape(shape, at)))
    return `[${items.join(',')}]`
  }
  const object = value as Readonly<Record<string, Json>>
  const members = orderedKeys(object, shape).map(
    (key) => `${escapeAsGo(JSON.stringify(key))}:${jsonText(object[key]!, fieldShape(shape, key))}`
  )
  return `{${members.join(',')}}`
}

const ANY: Shape = { kind: 'any' }

function itemShape(shape: Shape, at: number): Shape {
  if (shape.kind === 'tuple') return shape.of[at] ?? ANY
  return shape.kind === 'list' ? shape.of : ANY
}

function fieldShape(shape: Shape, key: string): Shape {
  if (shape.kind !== 'struct') return ANY
  return Object.hasOwn(shape.fields, key) ? shape.fields[key]! : ANY
}

function orderedKeys(object: Readonly<Record<string, Json | undefined>>, shape: Shape): string[] {
  const keys = Object.keys(object).filter((key) => object[key] !== undefined)
  if (shape.kind === 'map' || shape.kind === 'set') return keys.sort(compareKeys)
  if (shape.kind !== 'struct') return keys
  const known = Object.keys(shape.fields).filter((key) => keys.includes(key))
  return [...known, ...keys.filter((key) => !Object.hasOwn(shape.fields, key))]
}

/** A Go map has no order, so its keys are printed sorted by their UTF-8 bytes. */
export function compareKeys(a: string, b: string): number {
  return compareBytes(fromText(a), fromText(b))
}

/**
 * Escapes `<`, `>`, `&`, U+2028 and U+2029, which makes them safe in HTML and old JavaScript (encoding/json,
 * HTMLEscape).
 */
export function escapeAsGo(text: string): string {
  return text.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}
