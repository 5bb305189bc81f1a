/** A tree with every mode that keeps a directory's owner out, nested in each other, and a layer that changes it. */
import { directory, file, hardlink, type Entry } from './tar-builder.ts'

const MTIME = { mtime: 1_000_000_000 }
const dir = (name: string, mode: number): Entry => directory(name, { mode, ...MTIME })
const key = (name: string, mode: number, body = name): Entry => file(name, body, { mode, ...MTIME })

export const CLOSED_TREE: Entry[] = [
  dir('./', 0o555),
  dir('etc/', 0o300),
  key('etc/passwd', 0, 'root:x:0:0:root:/root:/bin/sh\n'),
  dir('none/', 0),
  dir('none/inner/', 0),
  key('none/inner/key', 0),
  key('none/inner/shown', 0o444),
  dir('none/inner/deep/', 0o755),
  key('none/inner/deep/file', 0o600),
  dir('write/', 0o300),
  key('write/only', 0o200),
  dir('list/', 0o600),
  key('list/file', 0o644),
  dir('list/read/', 0o555),
  key('list/read/file', 0o644),
  dir('read/', 0o555),
  key('read/file', 0o644),
  dir('read/sub/', 0o755),
  key('read/sub/file', 0o600),
  hardlink('alias', 'none/inner/key', { mode: 0, ...MTIME }),
  hardlink('read/alias', 'list/file', { mode: 0o644, ...MTIME }),
  dir('usr/', 0o755),
  key('usr/tool', 0o755)
]

/** Over the tree: additions, whiteouts and new modes in directories of each kind. */
export const CLOSED_EDIT: Entry[] = [
  dir('./', 0o555),
  file('read/.wh.file'),
  dir('read/sub/', 0o500),
  key('read/sub/new', 0o644),
  file('none/inner/.wh.shown'),
  key('none/inner/deep/more', 0o600),
  file('list/.wh.read'),
  dir('write/', 0o755),
  dir('write/closed/', 0),
  key('write/closed/file', 0),
  key('etc/new', 0o644),
  hardlink('etc/linked', 'write/closed/file', { mode: 0, ...MTIME })
]
