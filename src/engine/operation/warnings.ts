/** Warnings of what a layer cannot hold, or should perhaps not. */
import { display, type ByteString } from '../../bytes.ts'
import type { EngineEvent } from './events.ts'

export function emptyXattr(path: ByteString, xattr: ByteString): EngineEvent {
  return {
    type: 'warning',
    message: 'A layer cannot hold an extended attribute without a value: it is left out.',
    facts: { entry: display(path), found: display(xattr) }
  }
}

export function socket(path: ByteString): EngineEvent {
  return {
    type: 'warning',
    message: 'A layer cannot hold a socket: it is left out.',
    facts: { entry: display(path) }
  }
}

/** Whoever unpacks the image gets what is mounted there, as files. */
export function mounted(point: ByteString): EngineEvent {
  return {
    type: 'warning',
    message:
      'Something is mounted in the root file system: its files are taken for those of the bundle.',
    facts: { path: display(point) }
  }
}
