/** Warnings of what a layer cannot hold. */
import { display, type ByteString } from '../bytes.ts'
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
