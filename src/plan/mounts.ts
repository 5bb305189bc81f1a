/**
 * What is mounted in a tree that is unpacked over, or is a volume of its own there, belongs to somebody else. A plan goes
 * round it, or is refused before anything has changed.
 */
import { display, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { joinPath, parentPath } from './names.ts'
import type { Operation } from './operations.ts'

export interface Mount {
  /** Relative to the root of the tree. */
  readonly path: ByteString
  readonly kind: 'mount' | 'volume'
  /** What a layer removes in it: a path, or that of the mount itself for all it holds. */
  erased: ByteString | undefined
}

/**
 * @param root the path of the tree, for messages
 * @throws TARGET_BUSY where an operation moves, removes, changes or enters what is mounted, or moves what it is in
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
  /** A mount for each directory that holds one, at any depth. */
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
    throw new OciUnpackError(
      'TARGET_BUSY',
      'The image would change what is mounted in the target.',
      {
        facts: {
          entry: display(entry === '' ? '/' : entry),
          path: display(joinPath(this.root, path)),
          reason: REASONS[kind]
        },
        hint: HINTS[kind]
      }
    )
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
  volume: 'a volume of its own lies there'
}

const HINTS: Readonly<Record<Mount['kind'], string>> = {
  mount: 'Unmount it (umount), or unpack to another directory.',
  volume: 'Move the volume out of the way, or unpack to another directory.'
}

/** A path and all above it, without the root. */
function* withParents(path: ByteString): Generator<ByteString> {
  for (let at = path; at !== ''; at = parentPath(at)) yield at
}
