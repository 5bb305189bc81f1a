/**
 * Entries of an index that are not valid descriptors. They do not close the index to others: they are left out of
 * `manifests`, and are in their places again when the index is written.
 */
import type { OciUnpackError } from '../errors.ts'
import type { Json } from './json.ts'
import type { ImageIndex } from './types.ts'

export interface OddEntry {
  /** Its place among all entries, counted from 0. */
  readonly at: number
  /** As it is stored. */
  readonly value: Json
  /** DOCUMENT_INVALID: what is wrong with it. */
  readonly fault: OciUnpackError
}

/** A symbol is copied with the fields of an index, and is not one of them. */
const ODD_ENTRIES = Symbol('odd entries')

type WithOddEntries = ImageIndex & { readonly [ODD_ENTRIES]?: readonly OddEntry[] }

export function oddEntries(index: ImageIndex): readonly OddEntry[] {
  return (index as WithOddEntries)[ODD_ENTRIES] ?? []
}

export function withOddEntries(index: ImageIndex, odd: readonly OddEntry[]): ImageIndex {
  const both: WithOddEntries = { ...index, [ODD_ENTRIES]: odd }
  return odd.length === 0 ? index : both
}

/** All entries, for writing. An odd one is in its place, counted from the first entry. */
export function allEntries(index: ImageIndex): { value: Json; isOdd: boolean }[] {
  const valid = index.manifests as unknown as readonly Json[]
  const entries = valid.map((value) => ({ value, isOdd: false }))
  for (const { at, value } of oddEntries(index)) entries.splice(at, 0, { value, isOdd: true })
  return entries
}
