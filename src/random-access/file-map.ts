/** Where in a layer's tar the bytes of a file are. */
import { runsWithin } from './zero-runs.ts'

/** A regular file, as an index describes it. */
export interface StoredFile {
  /** In bytes, with holes. */
  size: number
  /** Where its stored bytes begin in the tar. */
  body: number
  /** Of a sparse file, what is stored: offset, length, offset, length … */
  extents?: readonly number[] | undefined
}

export interface FilePart {
  /** In bytes. */
  length: number
  /** In the tar; undefined for a hole. */
  at: number | undefined
}

export interface FileExtent {
  /** In bytes. */
  length: number
  hole: boolean
}

export class FileMap {
  private readonly extents: readonly number[]
  /** Where each extent begins in the tar. */
  private readonly places: number[] = []

  constructor(file: StoredFile) {
    this.extents = file.extents ?? [0, file.size]
    let at = file.body
    for (let i = 0; i < this.extents.length; i += 2) {
      this.places.push(at)
      at += this.extents[i + 1]!
    }
  }

  /** The parts of a range of the file, in order. */
  *parts(offset: number, length: number): Generator<FilePart> {
    const end = offset + length
    let at = offset
    for (let i = this.firstAfter(offset); at < end && i < this.places.length; i++) {
      const start = this.extents[2 * i]!
      const stop = start + this.extents[2 * i + 1]!
      if (start > at) yield { length: Math.min(start, end) - at, at: undefined }
      at = Math.max(at, Math.min(start, end))
      const until = Math.min(stop, end)
      if (until > at) yield { length: until - at, at: this.places[i]! + (at - start) }
      at = Math.max(at, until)
    }
    if (at < end) yield { length: end - at, at: undefined }
  }

  /** What of a range is data. @param runs where the tar has only zeros: start and end of each run */
  holes(offset: number, length: number, runs: ArrayLike<number>): FileExtent[] {
    const found = new Extents()
    for (const { at, length: bytes } of this.parts(offset, length)) {
      if (at === undefined) found.add(bytes, true)
      else {
        const zeros = runsWithin(runs, at, at + bytes)
        let done = at
        for (let i = 0; i < zeros.length; i += 2) {
          found.add(zeros[i]! - done, false)
          found.add(zeros[i + 1]! - zeros[i]!, true)
          done = zeros[i + 1]!
        }
        found.add(at + bytes - done, false)
      }
    }
    return found.list
  }

  /** The first extent that ends after an offset. */
  private firstAfter(offset: number): number {
    let [low, high] = [0, this.places.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.extents[2 * middle]! + this.extents[2 * middle + 1]! <= offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Joins neighbours of one kind. */
class Extents {
  readonly list: FileExtent[] = []

  add(length: number, hole: boolean): void {
    if (length === 0) return
    const last = this.list.at(-1)
    if (last?.hole === hole) last.length += length
    else this.list.push({ length, hole })
  }
}
