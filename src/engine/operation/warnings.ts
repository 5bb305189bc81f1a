/** Warnings: about names and documents of images, and about what a layer cannot hold, or perhaps should not. */
import { display, type ByteString } from '../../bytes.ts'
import type { OnWarning } from '../../store/image-source.ts'
import type { EngineEvent, OnEvent } from './events.ts'

/** Makes an event of each warning. */
export function warningTo(onEvent: OnEvent | undefined): OnWarning {
  return (message, facts) => onEvent?.({ type: 'warning', message, facts })
}

export function emptyXattr(path: ByteString, xattr: ByteString): EngineEvent {
  return {
    type: 'warning',
    message: 'A layer cannot hold an extended attribute without a value, so it is left out.',
    facts: { entry: display(path), found: display(xattr) }
  }
}

export function socket(path: ByteString): EngineEvent {
  return {
    type: 'warning',
    message: 'A layer cannot hold a socket, so it is left out.',
    facts: { entry: display(path) }
  }
}

/** Unpacking the image will produce what is mounted there as plain files. */
export function mounted(point: ByteString): EngineEvent {
  return {
    type: 'warning',
    message:
      'Something is mounted in the root file system, and its files are treated as files of the bundle.',
    facts: { path: display(point) }
  }
}
