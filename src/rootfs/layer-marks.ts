/** Whiteouts and opaque directories in the directory of a layer: the one file that knows what they look like. */
import type { ByteString } from '../bytes.ts'
import { OPAQUE_NAME, readName, WHITEOUT_PREFIX } from '../plan/names.ts'
import { bareEntry, type StagedEntry } from '../plan/staged-entry.ts'
import { isWhiteoutDevice, overlayNamespace, type WhiteoutForm } from '../plan/whiteout-form.ts'
import { close, createFile } from '../sys/files.ts'
import { getXattr, setTimes, setXattr } from '../sys/metadata.ts'
import { makeSpecial } from '../sys/names.ts'
import type { Walked } from './walk.ts'

/**
 * Marks `name` of the lower layers as removed. For overlayfs this is always a character device 0:0: every kernel that
 * can mount with `userxattr` lets plain users make one (Linux 5.8), whereas whiteouts made of attributes need Linux
 * 6.7.
 */
export function makeWhiteout(directory: number, name: ByteString, form: WhiteoutForm): void {
  switch (form) {
    case 'overlay':
    case 'overlay-userxattr':
      makeSpecial(directory, name, 'char', 0, 0, 0)
      setTimes(directory, name, EPOCH, EPOCH)
      return
    case 'none':
      makeMarkFile(directory, WHITEOUT_PREFIX + name)
  }
}

/** Marks `directory` as hiding everything that lower layers have in it. */
export function markOpaque(directory: number, form: WhiteoutForm): void {
  const namespace = overlayNamespace(form)
  if (namespace === undefined) makeMarkFile(directory, OPAQUE_NAME)
  else setXattr(directory, '', `${namespace}opaque`, OPAQUE)
}

const OPAQUE = 'y'

/** The directory of a layer depends only on the image, so marks do not record when they were made. */
const EPOCH = { sec: 0, nsec: 0 }

function makeMarkFile(directory: number, name: ByteString): void {
  close(createFile(directory, name, 0))
  setTimes(directory, name, EPOCH, EPOCH)
}

/** The object as a whiteout or an opaque marker, if it is one. */
export function readMark({ path, status }: Walked, form: WhiteoutForm): StagedEntry | undefined {
  switch (form) {
    case 'overlay':
    case 'overlay-userxattr':
      return isWhiteoutDevice(status) ? bareEntry('whiteout', path) : undefined
    case 'none': {
      const target = readName(path)
      return target.kind === 'entry' ? undefined : bareEntry(target.kind, target.path)
    }
  }
}

export function hasOpaqueXattr({ directory, name }: Walked, form: WhiteoutForm): boolean {
  const namespace = overlayNamespace(form)
  return namespace !== undefined && getXattr(directory, name, `${namespace}opaque`) === OPAQUE
}
