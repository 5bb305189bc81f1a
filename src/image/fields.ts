/** The object with only those fields that are not undefined, empty text or an empty list. */
export function withFields<T extends object>(
  object: T,
  fields: { readonly [Name in keyof T]?: T[Name] | undefined }
): T {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  const empty = given.filter(([, value]) => isEmpty(value)).map(([name]) => name)
  return without({ ...object, ...Object.fromEntries(given) }, empty as (keyof T)[])
}

export function without<T extends object>(object: T, names: readonly (keyof T | undefined)[]): T {
  const kept = Object.entries(object).filter(([name]) => !names.includes(name as keyof T))
  return Object.fromEntries(kept) as T
}

function isEmpty(value: unknown): boolean {
  return value === '' || (Array.isArray(value) && value.length === 0)
}
