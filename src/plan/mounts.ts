/**
 * Mounts and separate volumes in a tree that is unpacked over are not ours to change. A plan must leave them alone, or
 * it is refused before anything has changed.
 */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { joinPath, parentPath } from './names.ts'
import type { Operation } from './operations.ts'

export interface Mount {
  /** Relative to the root of the tree. */
  readonly path: ByteString
  readonly kind: 'mount' | 'volume'
  /** What a layer removes in it: a path, or the path of the mount itself for everything in it. */
  erased: ByteString | undefined
}

/**
 * @param root the path of the tree, for messages
 * @throws TARGET_BUSY if an operation moves, removes, changes or enters a mount, or moves a directory that contains one
 */
export function assertMountsStay(
  mounts: readonly Mount[],
  operations: readonly Operation[],
  root: ByteString
): void {
  if (mounts.length === 0) return
  const check = new MountCheck(mounts, root)
  for (const mount of mounts) if (mount.erased !== undefined) check.refuse(mount, mount.erased)
  for (const operation of operations) check.operation(operation)
}

class MountCheck {
  private readonly root: ByteString
  private readonly byPath: ReadonlyMap<ByteString, Mount>
  /** For each directory that contains a mount at any depth, one of these. */
  private readonly holders = new Map<ByteString, Mount>()

  constructor(mounts: readonly Mount[], root: ByteString) {
    this.root = root
    this.byPath = new Map(mounts.map((mount) => [mount.path, mount]))
    for (const mount of mounts)
      for (const holder of withParents(parentPath(mount.path))) this.holders.set(holder, mount)
  }

  operation(operation: Operation): void {
    if (!('from' in operation)) this.mayChange(operation.path)
    else {
      this.mayChange(operation.from)
      this.mayChange(operation.to)
      if (operation.op === 'move') this.mayMove(operation.from)
    }
  }

  refuse({ path, kind }: Mount, entry: ByteString): never {
    throw new OciUnpackError('TARGET_BUSY', 'The image would change a mount in the target.', {
      facts: {
        entry: display(entry === '' ? '/' : entry),
        path: display(joinPath(this.root, path)),
        reason: REASONS[kind]
      },
      hint: HINTS[kind]
    })
  }

  private mayChange(path: ByteString): void {
    for (const at of withParents(path)) {
      const mount = this.byPath.get(at)
      if (mount !== undefined) this.refuse(mount, path)
    }
  }

  private mayMove(path: ByteString): void {
    const mount = this.holders.get(path)
    if (mount !== undefined) this.refuse(mount, path)
  }
}

const REASONS: Readonly<Record<Mount['kind'], string>> = {
  mount: 'something is mounted there',
  volume: 'it is a separate volume'
}

const HINTS: Readonly<Record<Mount['kind'], string>> = {
  mount: 'Unmount it (umount), or unpack to another directory.',
  volume: 'Move the volume out of the way, or unpack to another directory.'
}

/** A path and all its parents, without the root. */
function* withParents(path: ByteString): Generator<ByteString> {
  for (let at = path; at !== ''; at = parentPath(at)) yield at
}
