/**
 * What one layer has taken from the tree below it, written down while it is folded: what was there is gone from
 * the merged tree, but a layer that lies in a directory of its own has to say that it is.
 */
import type { ByteString } from '../bytes.ts'
import type { Directory, Node } from './tree.ts'

export class LayerChanges {
  private readonly before = new Map<Directory, Map<ByteString, Node | undefined>>()
  private readonly cleared = new Set<Directory>()

  /** Must be called before a name gets another node or none: what was there before the layer is kept. */
  note(directory: Directory, name: ByteString): void {
    let names = this.before.get(directory)
    if (names === undefined) {
      names = new Map<ByteString, Node | undefined>()
      this.before.set(directory, names)
    }
    if (!names.has(name)) names.set(name, directory.children.get(name))
  }

  /** The layer hides all that lower layers have in a directory. */
  clear(directory: Directory): void {
    this.cleared.add(directory)
  }

  /** Directories of which names changed; they may have gone themselves. */
  directories(): Iterable<Directory> {
    return this.before.keys()
  }

  /** Whether the layer brought what is at a name: it is not what lower layers have there. */
  isNew(directory: Directory, name: ByteString): boolean {
    return this.before.get(directory)?.has(name) === true
  }

  /** What lower layers have at a name that changed. */
  lower(directory: Directory, name: ByteString): Node | undefined {
    return this.before.get(directory)?.get(name)
  }

  /** Names that lower layers have and the merged tree has no more. */
  gone(directory: Directory): ByteString[] {
    const names = this.before.get(directory) ?? []
    return [...names].flatMap(([name, node]) =>
      node !== undefined && !directory.children.has(name) ? [name] : []
    )
  }

  /** Whether all of lower layers in a directory is hidden, and there was something. */
  hidesAll(directory: Directory): boolean {
    if (!this.cleared.has(directory)) return false
    const names = this.before.get(directory)?.values() ?? []
    return [...names].some((node) => node !== undefined)
  }
}
