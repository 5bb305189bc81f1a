/**
 * Reads documents liberally. A known field that does not have the shape that its specification gives it is left out, as
 * if it were not there: whatever needs the field then says so, and nothing else is kept from its work.
 */
import type { Json } from './json.ts'
import type { Shape } from './shape.ts'

/** Called with the JSON pointer (RFC 6901) of everything that is left out. */
export type OnMisfit = (pointer: string) => void

/**
 * The value in the given shape, or undefined if it does not fit as a whole. Unknown fields are kept. Null, as Go writes
 * what is empty, means absent: a required list is then empty, and so is a string in a map.
 */
export function fit(
  value: Json,
  shape: Shape,
  onMisfit: OnMisfit = () => undefined
): Json | undefined {
  return new Fitting(onMisfit).fit(value, shape, '')
}

type Members = Readonly<Record<string, Json>>

class Fitting {
  private readonly onMisfit: OnMisfit

  constructor(onMisfit: OnMisfit) {
    this.onMisfit = onMisfit
  }

  fit(value: Json, shape: Shape, at: string): Json | undefined {
    const fitting = this.attempt(value, shape, at)
    if (fitting === undefined) this.onMisfit(at)
    return fitting
  }

  private attempt(value: Json, shape: Shape, at: string): Json | undefined {
    switch (shape.kind) {
      case 'any':
        return value
      case 'text':
        return isText(value) && shape.pattern?.test(value) !== false ? value : undefined
      case 'flag':
        return typeof value === 'boolean' ? value : undefined
      case 'texts':
        if (isText(value)) return value === '' ? [] : [value]
        return isTexts(value) ? value : undefined
      case 'map':
        return isObject(value) ? this.map(value, at) : undefined
      case 'set':
        return isObject(value) ? toSet(value) : undefined
      case 'list':
        return isList(value) ? this.list(value, () => shape.of, at) : undefined
      case 'tuple':
        return isList(value) ? this.list(value, (index) => shape.of[index] ?? ANY, at) : undefined
      case 'struct':
        return isObject(value) ? this.struct(value, shape, at) : undefined
    }
  }

  private map(value: Members, at: string): Json {
    const members = Object.entries(value).map(([key, member]): [string, Json | undefined] => [
      key,
      member === null ? '' : this.fit(member, TEXT, below(at, key))
    ])
    return withoutAbsent(members)
  }

  private list(items: readonly Json[], shapeOf: (index: number) => Shape, at: string): Json {
    const fitting = items.map((item, index) =>
      this.fit(item, shapeOf(index), below(at, String(index)))
    )
    return fitting.filter((item) => item !== undefined)
  }

  private struct(
    value: Members,
    { fields, needs }: Extract<Shape, { kind: 'struct' }>,
    at: string
  ): Json | undefined {
    const members = Object.entries(value).map(([key, member]): [string, Json | undefined] => {
      const field = Object.hasOwn(fields, key) ? fields[key] : undefined
      if (field === undefined) return [key, member]
      const fitting = member === null ? undefined : this.fit(member, field, below(at, key))
      return [key, fitting ?? empty(field)]
    })
    const missing = Object.entries(fields)
      .filter(([key]) => !Object.hasOwn(value, key))
      .map(([key, field]): [string, Json | undefined] => [key, empty(field)])
    const result = withoutAbsent([...members, ...missing])
    return needs.every((key) => Object.hasOwn(result, key)) ? result : undefined
  }
}

const ANY: Shape = { kind: 'any' }
const TEXT: Shape = { kind: 'text' }

/** What stands for a field that is absent, null or misfitting. */
function empty(shape: Shape): Json | undefined {
  if (shape.kind === 'text') return shape.absent
  return shape.kind === 'list' && shape.required ? [] : undefined
}

function toSet(value: Members): Json {
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, isObject(member) ? member : {}])
  )
}

function withoutAbsent(members: readonly [string, Json | undefined][]): Members {
  return Object.fromEntries(
    members.filter((member): member is [string, Json] => member[1] !== undefined)
  )
}

function isText(value: Json): value is string {
  return typeof value === 'string'
}

function isTexts(value: Json): value is readonly string[] {
  return isList(value) && value.every(isText)
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

function isObject(value: Json): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function below(pointer: string, key: string): string {
  return `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
