/**
 * What one layer removes from the tree below it, recorded while the layer is folded: the merged tree no longer contains
 * it, but a layer in its own directory must say that it is gone.
 */
import type { ByteString } from '../bytes.ts'
import type { Directory, Node } from './tree.ts'

export class LayerChanges {
  private readonly before = new Map<Directory, Map<ByteString, Node | undefined>>()
  private readonly cleared = new Set<Directory>()

  /** Must be called before a name gets another node or none, to keep what was there before the layer. */
  note(directory: Directory, name: ByteString): void {
    let names = this.before.get(directory)
    if (names === undefined) {
      names = new Map<ByteString, Node | undefined>()
      this.before.set(directory, names)
    }
    if (!names.has(name)) names.set(name, directory.children.get(name))
  }

  /** Records that the layer hides everything that lower layers have in a directory. */
  clear(directory: Directory): void {
    this.cleared.add(directory)
  }

  /** Directories in which names changed. They may have been removed since. */
  directories(): Iterable<Directory> {
    return this.before.keys()
  }

  /** Whether the layer brought what is at a name, and not a lower layer. */
  isNew(directory: Directory, name: ByteString): boolean {
    return this.before.get(directory)?.has(name) === true
  }

  /** What lower layers have at a name that changed. */
  lower(directory: Directory, name: ByteString): Node | undefined {
    return this.before.get(directory)?.get(name)
  }

  /** Names that lower layers have and the merged tree no longer has. */
  gone(directory: Directory): ByteString[] {
    const names = this.before.get(directory) ?? []
    return [...names].flatMap(([name, node]) =>
      node !== undefined && !directory.children.has(name) ? [name] : []
    )
  }

  /** Whether the layer hides everything that lower layers have in a directory, and there was something. */
  hidesAll(directory: Directory): boolean {
    if (!this.cleared.has(directory)) return false
    const names = this.before.get(directory)?.values() ?? []
    return [...names].some((node) => node !== undefined)
  }
}
