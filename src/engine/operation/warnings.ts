/** Warnings: about names and documents of images, and about what a layer or a storage cannot hold, or perhaps should not. */
import { display, type ByteString } from '../../bytes.ts'
import type { Holds } from '../../hooks/calls.ts'
import type { OnWarning } from '../../store/image-source.ts'
import type { EngineEvent, OnEvent } from './events.ts'

/** Makes an event of each choice. */
export function choiceTo(onEvent: OnEvent | undefined): OnWarning {
  return (message, facts) => onEvent?.({ type: 'choice', message, facts })
}

/** Makes an event of each warning. */
export function warningTo(onEvent: OnEvent | undefined): OnWarning {
  return (message, facts) => onEvent?.({ type: 'warning', message, facts })
}

/** What an object is packed into. */
export type Holder = 'A layer' | 'An archive'

export function emptyXattr(path: ByteString, xattr: ByteString, holder: Holder): EngineEvent {
  return {
    type: 'warning',
    message: `${holder} cannot hold an extended attribute without a value, so it is left out.`,
    facts: { entry: display(path), found: display(xattr) }
  }
}

/** A rootless tree that is packed as if it were none gets its user's owners. */
export function strayOwner(path: ByteString): EngineEvent {
  return {
    type: 'warning',
    message:
      'An owner in the attribute user.rootlesscontainers is packed as an attribute, because this is not rootless.',
    facts: { entry: display(path) }
  }
}

export function socket(path: ByteString, holder: Holder = 'A layer'): EngineEvent {
  return {
    type: 'warning',
    message: `${holder} cannot hold a socket, so it is left out.`,
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

/** Whatever of its metadata an image has beyond this is lost in its bundles. */
export function holdsLess({ name, precision, xattrs }: Holds & { name: string }): EngineEvent {
  const limits = [
    ...(precision === 'seconds' ? ['times in whole seconds'] : []),
    ...(xattrs === undefined ? [] : [`of extended attributes only ${xattrs.join(', ') || 'none'}`])
  ]
  return {
    type: 'warning',
    message: 'The storage of the hooks cannot hold everything that an image may contain.',
    facts: { hooks: name, expected: limits.join('; ') }
  }
}
