import type { ByteString } from '../../src/bytes.ts'
import type { LiteralTree } from '../../src/plan/stage-layout.ts'

/** The literal tree of a staging directory, without a disk. */
export class TreeOfNames implements LiteralTree {
  readonly directories: ByteString[] = []
  private readonly names = new Set<ByteString>()

  /** False if the name is taken. */
  make(path: ByteString): boolean {
    const isFree = !this.names.has(path)
    this.names.add(path)
    return isFree
  }

  makeDirectory(path: ByteString): boolean {
    if (!this.make(path)) return false
    this.directories.push(path)
    return true
  }
}
