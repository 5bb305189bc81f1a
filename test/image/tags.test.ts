import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/image/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/image/media-types.ts'
import {
  entriesNamed,
  foundAs,
  listTags,
  nameOf,
  REF_NAME,
  withoutTag,
  withTag
} from '../../src/image/tags.ts'
import type { Descriptor, ImageIndex } from '../../src/image/types.ts'

function manifest(name: string, annotations = {}): Descriptor {
  return { mediaType: OCI_MANIFEST, digest: digestOf(Buffer.from(name)), size: 1, annotations }
}

const tagged = (name: string, tag: string): Descriptor => manifest(name, { [REF_NAME]: tag })
const index = (...manifests: Descriptor[]): ImageIndex => ({ schemaVersion: 2, manifests })

const FULL_NAME = 'io.containerd.image.name'
/** As `docker save` with containerd's store writes it. */
const saved = (name: string, tag: string, fullName: string): Descriptor =>
  manifest(name, { [REF_NAME]: tag, [FULL_NAME]: fullName })

describe('entriesNamed', () => {
  const a = saved('a', 'latest', 'docker.io/library/a:latest')
  const b = saved('b', 'latest', 'docker.io/library/b:latest')
  const untagged = manifest('c')
  const odd = tagged('d', 'free text/ \u001b[2J')
  const full = index(a, b, untagged, odd, tagged('a', 'same'), tagged('a', 'same'))

  test.each<[string, string, Descriptor[]]>([
    ['a tag', 'same', [tagged('a', 'same')]],
    ['a tag that is not valid', 'free text/ \u001b[2J', [odd]],
    ['a tag of several', 'latest', [a, b]],
    ['a full name', 'docker.io/library/b:latest', [b]],
    ['the short form of a full name', 'b', [b]],
    ['a digest', `@${untagged.digest}`, [untagged]],
    ['nothing', 'nope', []],
    ['the digest of nothing', `@${manifest('nope').digest}`, []]
  ])('finds by %s', (_what, name, found) => {
    expect(entriesNamed(full, name)).toEqual(found)
  })

  test('finds each entry by the name that is shown of it', () => {
    const unique = index(a, untagged, odd, manifest('e', { [FULL_NAME]: 'host/e:1' }))
    for (const entry of unique.manifests)
      expect(entriesNamed(unique, nameOf(entry))).toEqual([entry])
  })

  test('a tag comes before a full name of others', () => {
    const other = tagged('x', 'docker.io/library/b:latest')
    expect(entriesNamed(index(b, other), 'docker.io/library/b:latest')).toEqual([other])
  })
})

describe('foundAs', () => {
  const a = saved('a', 'latest', 'docker.io/library/a:latest')
  test.each<[Descriptor, string | undefined, string | undefined]>([
    [a, 'latest', 'latest'],
    [a, undefined, 'latest'],
    [a, 'a', 'docker.io/library/a:latest'],
    [tagged('b', 'x'), undefined, 'x'],
    [manifest('c'), undefined, 'latest'],
    [manifest('c'), `@${manifest('c').digest}`, undefined],
    [a, `@${a.digest}`, undefined]
  ])('tells the tag to move', (entry, name, expected) => {
    expect(foundAs(entry, name)).toBe(expected)
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

describe('entries that Docker gave the same tag', () => {
  const a = saved('a', 'latest', 'docker.io/library/a:latest')
  const b = saved('b', 'latest', 'docker.io/library/b:latest')
  const bWithoutTag = manifest('b', { [FULL_NAME]: 'docker.io/library/b:latest' })

  test('when one is changed, the others keep their full names', () => {
    const changed = { ...a, digest: manifest('new').digest }
    expect(withTag(index(a, b), 'latest', changed).manifests).toEqual([bWithoutTag, changed])
  })

  test('when the tag is removed, the others keep their full names', () => {
    expect(withoutTag(index(a, b), 'latest').manifests).toEqual([bWithoutTag])
    expect(withoutTag(index(a, b), 'docker.io/library/b:latest').manifests).toEqual([a])
  })

  test('a new tag does not bring the full name of another image', () => {
    const { manifests } = withTag(index(a), 'x', a)
    expect(manifests).toEqual([a, tagged('a', 'x')])
  })

  test('a full name can be moved', () => {
    const changed = { ...b, digest: manifest('new').digest }
    const { manifests } = withTag(index(a, b), 'docker.io/library/b:latest', changed)
    expect(manifests).toEqual([
      a,
      saved('new', 'docker.io/library/b:latest', 'docker.io/library/b:latest')
    ])
  })
})

test('an entry without a name gets the tag itself', () => {
  const before = index(manifest('a'), tagged('b', 'y'))
  expect(withTag(before, 'x', before.manifests[0]!).manifests).toEqual([
    tagged('b', 'y'),
    tagged('a', 'x')
  ])
})

describe('withoutTag', () => {
  test('removes every entry of the tag and is content where there is none', () => {
    const before = index(tagged('a', 'x'), tagged('b', 'y'), tagged('c', 'x'))
    expect(withoutTag(before, 'x').manifests).toEqual([tagged('b', 'y')])
    expect(withoutTag(before, 'z').manifests).toEqual(before.manifests)
  })
})
