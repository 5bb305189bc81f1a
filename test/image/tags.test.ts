import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/image/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/image/media-types.ts'
import { findTag, listTags, REF_NAME, withoutTag, withTag } from '../../src/image/tags.ts'
import type { Descriptor, ImageIndex } from '../../src/image/types.ts'
import { failure } from './errors.ts'

function manifest(name: string, annotations = {}): Descriptor {
  return { mediaType: OCI_MANIFEST, digest: digestOf(Buffer.from(name)), size: 1, annotations }
}

const tagged = (name: string, tag: string): Descriptor => manifest(name, { [REF_NAME]: tag })
const index = (...manifests: Descriptor[]): ImageIndex => ({ schemaVersion: 2, manifests })

describe('findTag', () => {
  test('finds the entry whose ref.name is exactly the tag', () => {
    const found = findTag(index(tagged('a', 'x'), tagged('b', 'y'), manifest('c')), 'y')
    expect(found).toEqual(tagged('b', 'y'))
  })

  test('lists the tags there are where one is missing', () => {
    const error = failure(() => findTag(index(tagged('a', 'x'), tagged('b', 'y')), 'z'))
    expect(error.code).toBe('TAG_NOT_FOUND')
    expect(error.facts).toEqual({ found: 'z', available: 'x, y' })
  })

  test('refuses to guess between two images of one tag', () => {
    const error = failure(() => findTag(index(tagged('a', 'x'), tagged('b', 'x')), 'x'))
    expect(error.code).toBe('TAG_AMBIGUOUS')
    expect(error.facts.available).toBe(`${tagged('a', '').digest}, ${tagged('b', '').digest}`)
  })

  test('takes an entry that stands there twice', () => {
    expect(findTag(index(tagged('a', 'x'), tagged('a', 'x')), 'x')).toEqual(tagged('a', 'x'))
  })

  test('shows a hostile tag as escapes', () => {
    const error = failure(() => findTag(index(tagged('a', '\u001b[2J')), 'z'))
    expect(error.facts.available).toBe('\\x1b[2J')
  })
})

describe('listTags', () => {
  test('gives tags in order, as often as they occur', () => {
    expect(
      listTags(index(tagged('a', 'x'), manifest('b'), tagged('c', 'w'), tagged('d', 'x')))
    ).toEqual(['x', 'w', 'x'])
  })
})

describe('withTag', () => {
  test('replaces every entry of the tag by one at the end, and touches no other', () => {
    const before = index(tagged('a', 'x'), tagged('b', 'y'), tagged('c', 'x'), manifest('d'))
    expect(withTag(before, 'x', manifest('e', { kept: 'yes' }))).toEqual({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [tagged('b', 'y'), manifest('d'), manifest('e', { kept: 'yes', [REF_NAME]: 'x' })]
    })
  })

  test('keeps unknown fields of the index and of its entries', () => {
    const before = { ...index({ ...tagged('a', 'y'), ...{ vendor: 2n } }), extra: [1] }
    expect(withTag(before, 'x', manifest('b'))).toMatchObject({
      extra: [1],
      manifests: [{ vendor: 2n }, {}]
    })
  })
})

describe('withoutTag', () => {
  test('removes every entry of the tag and is content where there is none', () => {
    const before = index(tagged('a', 'x'), tagged('b', 'y'), tagged('c', 'x'))
    expect(withoutTag(before, 'x').manifests).toEqual([tagged('b', 'y')])
    expect(withoutTag(before, 'z').manifests).toEqual(before.manifests)
  })
})
