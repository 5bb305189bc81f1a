/**
 * Which files of a layer are deleted or replaced by layers above it, as far as it is known yet. Every layer notes its
 * entries here while it is read, and the layers below it ask, perhaps in other threads.
 *
 * An answer is a guess. It goes by literal paths, where the merge follows symbolic links; it remembers hashes of paths,
 * and takes no more when its memory is full. Only the merge decides: a file that was skipped, and is in the merged tree
 * after all, is read again (`skipped-files.ts`). So a wrong yes costs time, and a wrong no a file that is discarded.
 */
import type { ByteString } from '../bytes.ts'
import { parentPath } from './names.ts'
import type { StagedEntry } from './staged-entry.ts'

/** What a noted path replaces: its name and all that is below it, or only one of both. */
const ALL = 1
const NAME = 2
const BELOW = 3
/** Or a file of a layer below that gets another name, by a hard link. */
const LINKED = 4

/** For each noted path its hash, and the topmost layer that noted it. Layer 0 notes nothing, so 0 means none. */
const CELLS = 2
const MAX_FILL = 0.75
const MIN_SLOTS = 1024
const MAX_SLOTS = 2 ** 20
/** Compressed bytes for each slot. The entries of most layers take several times as many. */
const BYTES_PER_SLOT = 2048

const SLASH = 47
const PRIME_A = 0x01000193
const PRIME_B = 0x5bd1e995
const SEED_A = 0x811c9dc5 | 0
const SEED_B = 0x9747b28c | 0

/** Memory for an image whose layers have this many compressed bytes together. */
export function maskMemory(bytes: number): SharedArrayBuffer {
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, bytes / BYTES_PER_SLOT)))
  const slots = Math.min(MAX_SLOTS, Math.max(MIN_SLOTS, wanted))
  return new SharedArrayBuffer(4 * CELLS * (slots + 1))
}

export class MaskedPaths {
  /** The last pair counts how many are taken. */
  private readonly cells: Int32Array
  private readonly slots: number
  private readonly layer: number
  /** The directory of the last path, hashes of it with a slash behind, and whether layers above hide what is in it. */
  private directory: ByteString | undefined
  private directoryA = 0
  private directoryB = 0
  private isHidden = false
  /** Two hashes of the path, or the part of a path, that is looked up. */
  private a = 0
  private b = 0

  /** @param layer that notes and asks, counted from 0, base first */
  constructor(memory: SharedArrayBuffer, layer: number) {
    this.cells = new Int32Array(memory)
    this.slots = this.cells.length / CELLS - 1
    this.layer = layer
  }

  /** To be called for every entry of the layer, in archive order. */
  note({ type, path, link }: StagedEntry): void {
    if (this.layer === 0) return
    if (type === 'hardlink') this.noteTarget(link)
    this.hash(path)
    this.add(type === 'directory' ? NAME : type === 'opaque' ? BELOW : ALL)
  }

  /** Whether layers above replace or delete the file at this path, by what they have noted. */
  masks(path: ByteString): boolean {
    if (this.taken() === 0) return false
    this.hash(path)
    const isMasked = this.isHidden || this.isAbove(ALL) || this.isAbove(NAME)
    return isMasked && !this.isAbove(LINKED)
  }

  /** The target is this layer's own if the layer has noted it before. If layers above have, too, that is not known. */
  private noteTarget(link: ByteString): void {
    this.hash(link)
    if (this.topmost(ALL) !== this.layer) this.add(LINKED)
  }

  /** Most paths are in the directory of the one before. */
  private hash(path: ByteString): void {
    const directory = parentPath(path)
    if (directory !== this.directory) this.enter(directory)
    let { directoryA: a, directoryB: b } = this
    for (let at = directory === '' ? 0 : directory.length + 1; at < path.length; at++) {
      const code = path.charCodeAt(at)
      a = Math.imul(a ^ code, PRIME_A)
      b = Math.imul(b ^ code, PRIME_B)
    }
    this.a = a
    this.b = b
  }

  private enter(directory: ByteString): void {
    this.directory = directory
    this.a = SEED_A
    this.b = SEED_B
    this.isHidden = this.isAbove(BELOW)
    for (let at = 0; at < directory.length; at++) this.step(directory.charCodeAt(at))
    if (directory !== '') this.step(SLASH)
    this.directoryA = this.a
    this.directoryB = this.b
  }

  /** Every slash ends the name of a directory. */
  private step(code: number): void {
    if (code === SLASH) this.isHidden ||= this.isAbove(ALL) || this.isAbove(BELOW)
    this.a = Math.imul(this.a ^ code, PRIME_A)
    this.b = Math.imul(this.b ^ code, PRIME_B)
  }

  private isAbove(meaning: number): boolean {
    return this.topmost(meaning) > this.layer
  }

  private topmost(meaning: number): number {
    return this.cells[this.find(meaning, this.print(meaning)) + 1]!
  }

  /** If another thread takes the slot first, the path is not noted. */
  private add(meaning: number): void {
    if (this.taken() >= this.slots * MAX_FILL) return
    const print = this.print(meaning)
    const cell = this.find(meaning, print)
    const before = Atomics.compareExchange(this.cells, cell, 0, print)
    if (before === 0) Atomics.add(this.cells, this.slots * CELLS, 1)
    else if (before !== print) return
    if (this.cells[cell + 1]! < this.layer) Atomics.store(this.cells, cell + 1, this.layer)
  }

  private taken(): number {
    return Atomics.load(this.cells, this.slots * CELLS)
  }

  /** The first cell of the path's slot, or of the free one where it belongs. */
  private find(meaning: number, print: number): number {
    let slot = mix(this.a + meaning) & (this.slots - 1)
    for (;;) {
      const found = this.cells[slot * CELLS]!
      if (found === 0 || found === print) return slot * CELLS
      slot = (slot + 1) & (this.slots - 1)
    }
  }

  private print(meaning: number): number {
    return mix(this.b + meaning) || 1
  }
}

/** Spreads a hash over all its bits. */
function mix(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  const most = Math.imul(half ^ (half >>> 13), 0xc2b2ae35)
  return most ^ (most >>> 16)
}
