/**
 * Where each object lay before the first operation of a plan: followed through every move, and only for the paths that
 * operations name.
 */
import type { ByteString } from '../bytes.ts'
import { baseName, joinPath, parentPath } from './names.ts'

/** A path by where it led before; undefined for what is new in the tree. */
type Origin = ByteString | undefined

interface Place {
  readonly origin: Origin
  readonly children: Map<ByteString, Place>
}

export class Origins {
  private readonly root = newPlace('')

  /** @param workspace the path below which everything is new */
  constructor(workspace: ByteString) {
    this.put(workspace, newPlace(undefined))
  }

  of(path: ByteString): Origin {
    return this.at(path).origin
  }

  move(from: ByteString, to: ByteString): void {
    const moved = this.at(from)
    this.at(parentPath(from)).children.delete(baseName(from))
    this.put(to, moved)
  }

  link(from: ByteString, to: ByteString): void {
    this.put(to, this.at(from))
  }

  make(path: ByteString): void {
    this.put(path, newPlace(undefined))
  }

  private put(path: ByteString, place: Place): void {
    this.at(parentPath(path)).children.set(baseName(path), place)
  }

  private at(path: ByteString): Place {
    let place = this.root
    for (const name of path === '' ? [] : path.split('/')) place = childOf(place, name)
    return place
  }
}

function childOf({ origin, children }: Place, name: ByteString): Place {
  const known = children.get(name)
  if (known !== undefined) return known
  const child = newPlace(origin === undefined ? undefined : joinPath(origin, name))
  children.set(name, child)
  return child
}

function newPlace(origin: Origin): Place {
  return { origin, children: new Map<ByteString, Place>() }
}
