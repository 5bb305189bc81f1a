/**
 * Where each object was before the first operation of a plan. Objects are followed through every move, but only at the
 * paths that operations name.
 */
import type { ByteString } from '../bytes.ts'
import { baseName, joinPath, parentPath } from './names.ts'

/** The original path of an object; undefined if it is new in the tree. */
type Origin = ByteString | undefined

interface Place {
  readonly origin: Origin
  /** Made on first use, since most places are files. */
  children: Map<ByteString, Place> | undefined
}

export class Origins {
  private readonly root = newPlace('')
  /**
   * A cache, because most operations follow others in the same directory. Cleared when one of the directories may have
   * moved.
   */
  private readonly directories = new Map<ByteString, Place>()

  /** @param workspace the path below which everything is new */
  constructor(workspace: ByteString) {
    this.put(workspace, newPlace(undefined))
  }

  of(path: ByteString): Origin {
    return this.at(path).origin
  }

  move(from: ByteString, to: ByteString): void {
    const moved = this.at(from)
    if (moved.children !== undefined || this.directories.has(from)) this.directories.clear()
    this.directory(parentPath(from)).children?.delete(baseName(from))
    this.put(to, moved)
  }

  link(from: ByteString, to: ByteString): void {
    this.put(to, this.at(from))
  }

  make(path: ByteString): void {
    this.put(path, newPlace(undefined))
  }

  private put(path: ByteString, place: Place): void {
    this.directories.delete(path)
    setChild(this.directory(parentPath(path)), baseName(path), place)
  }

  private at(path: ByteString): Place {
    return path === '' ? this.root : childOf(this.directory(parentPath(path)), baseName(path))
  }

  private directory(path: ByteString): Place {
    const known = this.directories.get(path)
    if (known !== undefined) return known
    const place = this.at(path)
    this.directories.set(path, place)
    return place
  }
}

function childOf(place: Place, name: ByteString): Place {
  const known = place.children?.get(name)
  if (known !== undefined) return known
  const { origin } = place
  const child = newPlace(origin === undefined ? undefined : joinPath(origin, name))
  setChild(place, name, child)
  return child
}

function setChild(place: Place, name: ByteString, child: Place): void {
  place.children ??= new Map<ByteString, Place>()
  place.children.set(name, child)
}

function newPlace(origin: Origin): Place {
  return { origin, children: undefined }
}
