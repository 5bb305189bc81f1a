/** Random stacks of layers over few names, so that they collide in every way there is. */
import * as fc from 'fast-check'
import type { EntryType, TarEntry, Timespec, Xattr } from '../../src/tar/entry.ts'
import type { Member } from './serial.ts'

const name = fc.constantFrom('a', 'b', 'c', 'd', '\xff', 'a b')
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
const sloppyPath = fc.oneof(
  { weight: 8, arbitrary: path },
  { weight: 1, arbitrary: path.map((text) => `/${text}`) },
  { weight: 1, arbitrary: path.map((text) => `../${text}`) },
  { weight: 1, arbitrary: path.map((text) => `./x/../${text}`) }
)
const linkText = fc.oneof(
  path,
  path.map((text) => `/${text}`),
  path.map((text) => `../${text}`),
  fc.constantFrom('.', '..', '/', '../..', 'a/../b')
)
const time: fc.Arbitrary<Timespec> = fc.record({
  sec: fc.integer({ min: -10, max: 2_000_000_000 }),
  nsec: fc.integer({ min: 0, max: 999_999_999 })
})
const xattrs: fc.Arbitrary<readonly Xattr[]> = fc.oneof(
  { weight: 5, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.constant([['trusted.t', '\0\xff'] as const]) }
)
const entryType: fc.Arbitrary<EntryType> = fc.oneof(
  { weight: 5, arbitrary: fc.constant('file' as const) },
  { weight: 5, arbitrary: fc.constant('directory' as const) },
  { weight: 3, arbitrary: fc.constant('symlink' as const) },
  { weight: 1, arbitrary: fc.constant('hardlink' as const) },
  { weight: 1, arbitrary: fc.constantFrom('char' as const, 'block' as const, 'fifo' as const) }
)

const plain: fc.Arbitrary<Member> = fc
  .record({
    type: entryType,
    name: sloppyPath,
    text: linkText,
    target: path,
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.constantFrom(0, 0, 7),
    gid: fc.constantFrom(0, 0, 9),
    body: fc.string({ maxLength: 5 }),
    mtime: time,
    xattrs
  })
  .map(({ text, target, body, ...rest }) =>
    member({ ...rest, link: linkOf(rest.type, text, target) }, body)
  )

function linkOf(type: EntryType, text: string, target: string): string {
  if (type === 'symlink') return text
  return type === 'hardlink' ? target : ''
}

const whiteout: fc.Arbitrary<Member> = fc
  .tuple(fc.array(name, { maxLength: 3 }), fc.option(name))
  .map(([parents, victim]) =>
    member({
      type: 'file',
      name: [...parents, victim === null ? '.wh..wh..opq' : `.wh.${victim}`].join('/')
    })
  )

const rootEntry = fc
  .record({ mode: fc.integer({ min: 0, max: 0o777 }), mtime: time })
  .map((fields) => member({ type: 'directory', name: './', ...fields }))

const layer = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: plain },
    { weight: 3, arbitrary: whiteout },
    { weight: 1, arbitrary: rootEntry }
  ),
  { maxLength: 14 }
)

export const layerStack: fc.Arbitrary<Member[][]> = fc
  .array(layer, { minLength: 1, maxLength: 5 })
  .map(aimLinks)

/** So many names in one directory, which nobody describes here, that it is quicker to make it anew. */
const crowd = fc
  .record({
    lot: fc.nat(),
    at: fc.oneof({ weight: 3, arbitrary: name }, { weight: 1, arbitrary: path }),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.constantFrom(0, 7),
    mtime: time,
    xattrs
  })
  .map(({ lot, at, ...fields }) => ({
    lot,
    described: member({ type: 'directory', name: at, ...fields }),
    members: ['1', '2', '3', '4', '5'].map((file) =>
      member({ type: 'file', name: `${at}/${file}` })
    )
  }))

/** Stacks in which layers put much into directories that only the layer below describes. */
export const crowdedStack: fc.Arbitrary<Member[][]> = fc
  .tuple(layerStack, fc.array(crowd, { minLength: 1, maxLength: 3 }))
  .map(([layers, crowds]) =>
    layers.map((members, index) => [
      ...members,
      ...crowds.flatMap((it) => {
        const layer = it.lot % layers.length
        if (index === layer) return it.members
        return index === layer - 1 ? [it.described] : []
      })
    ])
  )

/** A file of a lower layer that an upper one replaces or deletes in some way; its body may be needed for another name. */
const replaced = fc
  .record({
    lot: fc.nat(),
    file: path,
    body: fc.string({ minLength: 1, maxLength: 5 }),
    by: fc.constantFrom('file', 'symlink', 'directory', 'whiteout', 'opaque', 'parent'),
    link: fc.oneof(
      { weight: 3, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.record({ name: path, isAbove: fc.boolean() }) }
    )
  })
  .map(({ file, body, by, link, lot }) => {
    const names = link === undefined ? [] : [hardlink(link.name, file)]
    const isAbove = link?.isAbove === true
    return {
      lot,
      below: [member({ type: 'file', name: file }, body), ...(isAbove ? [] : names)],
      above: [...(isAbove ? names : []), replacement(file, by)]
    }
  })

function hardlink(name: string, link: string): Member {
  return member({ type: 'hardlink', name, link })
}

function replacement(file: string, by: string): Member {
  const parent = file.slice(0, Math.max(0, file.lastIndexOf('/')))
  const base = file.slice(file.lastIndexOf('/') + 1)
  const inParent = (name: string): string => (parent === '' ? name : `${parent}/${name}`)
  switch (by) {
    case 'file':
      return member({ type: 'file', name: file }, 'above')
    case 'symlink':
      return member({ type: 'symlink', name: file, link: 'a' })
    case 'directory':
      return member({ type: 'directory', name: file })
    case 'opaque':
      return member({ type: 'file', name: inParent('.wh..wh..opq') })
    case 'parent':
      return member({ type: 'symlink', name: parent === '' ? file : parent, link: 'b' })
    default:
      return member({ type: 'file', name: inParent(`.wh.${base}`) })
  }
}

/** Stacks in which much of what lower layers bring is not in the end. */
export const maskedStack: fc.Arbitrary<Member[][]> = fc
  .tuple(layerStack, fc.array(replaced, { minLength: 1, maxLength: 4 }))
  .map(([layers, files]) =>
    [...layers, []].map((members, index) => [
      ...members,
      ...files.flatMap(({ lot, below, above }) => {
        const lower = lot % layers.length
        return [...(index === lower ? below : []), ...(index === lower + 1 ? above : [])]
      })
    ])
  )

/** Most hard links to names of earlier files: a stack with a link to nothing ends there. */
function aimLinks(layers: Member[][]): Member[][] {
  const names: string[] = []
  for (const { entry } of layers.flat()) {
    if (entry.type === 'hardlink' && entry.mode % 16 !== 0 && names.length > 0)
      entry.link = names[entry.mode % names.length]!
    if (entry.type === 'file' && !entry.name.includes('.wh.')) names.push(entry.name)
  }
  return layers
}

function member(fields: Partial<TarEntry> & { type: EntryType; name: string }, body = ''): Member {
  const content = fields.type === 'file' ? Buffer.from(body) : Buffer.alloc(0)
  return {
    entry: {
      link: '',
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtime: { sec: 0, nsec: 0 },
      devMajor: fields.type === 'char' || fields.type === 'block' ? 1 : 0,
      devMinor: fields.type === 'char' || fields.type === 'block' ? 3 : 0,
      xattrs: [],
      offset: 0,
      ...fields,
      size: content.length
    },
    body: content
  }
}
