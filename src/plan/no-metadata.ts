/** Empty metadata. */
import type { TarEntry } from '../tar/entry.ts'

type Metadata = Omit<TarEntry, 'type' | 'name' | 'atime' | 'offset'>

/** For markers, which are not objects, and as a starting point for other metadata. */
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
