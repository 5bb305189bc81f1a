/** The metadata of what has none. */
import type { TarEntry } from '../tar/entry.ts'

type Metadata = Omit<TarEntry, 'type' | 'name' | 'atime' | 'offset'>

/** Nothing at all: of markers, which are no objects, and where a description begins. */
export const NO_METADATA: Metadata = {
  link: '',
  mode: 0,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { sec: 0, nsec: 0 },
  devMajor: 0,
  devMinor: 0,
  xattrs: []
}
