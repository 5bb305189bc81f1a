/**
 * Where the image of a layer has its bodies. Their places depend on nothing but the entries of the layer, so an index of
 * it is enough: nobody has to read the image.
 */
import type { StagedEntry } from '../plan/staged-entry.ts'
import { BodyPlaces, type Body } from './bodies.ts'

export class LayerBodies {
  private readonly places = new BodyPlaces()
  /** Where bodies begin in the tar of the layer, rising. */
  private readonly positions: number[] = []
  private readonly bodies: Body[] = []

  /** The next entry of the layer, indexed. Every entry must be given, in the order of the tar. @throws LIMIT_EXCEEDED */
  add({ type, body, size, extents }: StagedEntry): void {
    if (type !== 'file') return
    this.positions.push(body!)
    this.bodies.push(this.places.place(size, extents))
  }

  /** The place of the body that begins at `position` in the tar. */
  find(position: number): Body | undefined {
    let low = 0
    let high = this.positions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.positions[middle]! < position) low = middle + 1
      else high = middle
    }
    return this.positions[low] === position ? this.bodies[low] : undefined
  }
}
