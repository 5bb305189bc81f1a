/** Made-up layers, as data: small trees with every kind of change. */
import type { ByteString } from '../bytes.ts'
import type { TarEntry, Xattr } from '../tar/entry.ts'

export interface Member {
  entry: Omit<TarEntry, 'size' | 'offset'>
  body: ByteString
}

export type MadeLayer = readonly Member[]

/** What the machine and the file system allow in a layer. */
export interface Abilities {
  /** Owners other than the current user, and devices. */
  root: boolean
  /** Attributes `user.*` */
  xattrs: boolean
}

/** @param salt makes the layers new to any store */
export function baseLayer(salt: string, able: Abilities): MadeLayer {
  return [
    directory('./', { mode: 0o755 }),
    directory('etc/'),
    file('etc/salt', salt),
    file('etc/owned', 'owned', able.root ? { uid: 1234, gid: 99 } : {}),
    directory('dir/', { mode: 0o751 }),
    directory('dir/sub/'),
    file('dir/sub/file', 'first'),
    file('dir/sub/other', 'other'),
    directory('opaque/'),
    file('opaque/old', 'old'),
    directory('opaque/deep/'),
    file('opaque/deep/old', 'old'),
    file('gone', 'gone'),
    directory('gone-dir/'),
    file('gone-dir/in', 'in'),
    file('becomes-dir', 'file'),
    directory('becomes-file/'),
    file('becomes-file/in', 'in'),
    directory('links/'),
    file('links/one', 'linked'),
    hardlink('links/two', 'links/one'),
    directory('far/'),
    symlink('near', 'far'),
    ...odd().map((name) => file(`odd/${name}`, name)),
    file('set-user-id', 'x', { mode: 0o4755 }),
    directory('tmp/', { mode: 0o1777 }),
    special('fifo', 'fifo'),
    ...(able.root ? [special('null', 'char', { devMajor: 1, devMinor: 3, mode: 0o666 })] : []),
    ...(able.xattrs
      ? [
          file('noted', 'noted', { xattrs: NOTE }),
          directory('noted-dir/', { xattrs: [['user.binary', '\n=\xff\x01']] })
        ]
      : [])
  ]
}

/** Removes, hides and replaces. */
export function whiteoutLayer(): MadeLayer {
  return [
    file('.wh.gone'),
    file('.wh.gone-dir'),
    file('etc/.wh.never-was'),
    directory('opaque/'),
    file('opaque/.wh..wh..opq'),
    file('opaque/new', 'new'),
    directory('becomes-dir/'),
    file('becomes-dir/in', 'in'),
    file('becomes-file', 'file')
  ]
}

/** Brings back some of what `whiteoutLayer` removed, and hides more. */
export function returnLayer(): MadeLayer {
  return [
    file('gone', 'back'),
    directory('gone-dir/', { mode: 0o700 }),
    file('gone-dir/other', 'other'),
    file('opaque/.wh..wh..opq'),
    directory('opaque/deep/'),
    file('opaque/deep/new', 'new'),
    file('dir/sub/.wh.file'),
    file('.wh.becomes-dir'),
    directory('empty/'),
    file('empty/.wh..wh..opq')
  ]
}

/** Hard links to lower layers, and paths that lead through a symbolic link. */
export function linkLayer(): MadeLayer {
  return [
    hardlink('links/three', 'links/one'),
    hardlink('above', 'dir/sub/file'),
    file('near/through', 'through the link'),
    file('without/parents/file', 'deep'),
    symlink('dangling', '/nowhere/at/all')
  ]
}

/** Breaks what `linkLayer` linked, and changes one name of a linked file. */
export function relinkLayer(): MadeLayer {
  return [file('links/.wh.one'), file('dir/sub/file', 'no longer linked'), file('far/more', 'more')]
}

/** Changes in place: metadata of a directory that stays, content, an owner. */
export function metadataLayer(able: Abilities): MadeLayer {
  return [
    directory('dir/', { mode: 0o700, mtime: { sec: 1_500_000_000, nsec: 1 } }),
    file('dir/sub/other', 'changed', able.root ? { uid: 7, gid: 8 } : {}),
    file(`odd/${odd()[0]!}`, 'changed'),
    ...(able.xattrs ? [directory('noted-dir/', { xattrs: NOTE })] : [])
  ]
}

export function fileLayer(name: string, body: string): MadeLayer {
  return [file(name, body)]
}

const NOTE: readonly Xattr[] = [['user.note', 'a note']]

function odd(): ByteString[] {
  return [
    'new\nline',
    'sp ace',
    'back\\slash',
    'back\\134',
    'not\xffutf8',
    '-n',
    ' lead',
    '%s',
    "it's"
  ]
}

type More = Partial<Member['entry']>

const TIME = { sec: 1_600_000_000, nsec: 123_456_789 }

function member(type: TarEntry['type'], name: ByteString, more: More, body = ''): Member {
  return {
    entry: {
      type,
      name,
      link: '',
      mode: 0o644,
      uid: process.geteuid!(),
      gid: process.getegid!(),
      mtime: TIME,
      devMajor: 0,
      devMinor: 0,
      xattrs: [],
      ...more
    },
    body
  }
}

function file(name: ByteString, body: ByteString = '', more: More = {}): Member {
  return member('file', name, more, body)
}

function directory(name: ByteString, more: More = {}): Member {
  return member('directory', name, { mode: 0o755, ...more })
}

function symlink(name: ByteString, link: ByteString): Member {
  return member('symlink', name, { link, mode: 0o777 })
}

function hardlink(name: ByteString, link: ByteString): Member {
  return member('hardlink', name, { link })
}

function special(name: ByteString, type: 'fifo' | 'char', more: More = {}): Member {
  return member(type, name, more)
}
