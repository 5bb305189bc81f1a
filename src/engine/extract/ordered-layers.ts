/** Processes layers strictly bottom to top while their entries arrive in any order: those of later layers wait. */
import { display } from '../../bytes.ts'
import { withFacts } from '../../errors.ts'
import type { StagedEntry } from '../../plan/staged-entry.ts'
import { decodeEntries } from '../../worker/entry-codec.ts'

/** What is done with one layer once all layers below it are done. */
export interface LayerTurn {
  add(entry: StagedEntry): void
  /** Called after all of it was added. */
  end(): void
}

export class OrderedLayers {
  private readonly names: readonly string[]
  private readonly begin: (layer: number) => LayerTurn
  private readonly waiting: Uint8Array[][]
  private readonly completed: boolean[]
  private next = 0
  private turn: LayerTurn | undefined
  /** After a failure, no further layer is ended: other threads may still be staging layers above it. */
  private hasFailed = false

  /** @param names of the layers in errors @param begin called once for each layer, in order */
  constructor(names: readonly string[], begin: (layer: number) => LayerTurn) {
    this.names = names
    this.begin = begin
    this.waiting = names.map(() => [])
    this.completed = names.map(() => false)
  }

  add(layer: number, batch: Uint8Array): void {
    if (layer !== this.next) this.waiting[layer]!.push(batch)
    else this.unlessFailed(() => this.fold(batch))
  }

  complete(layer: number): void {
    this.completed[layer] = true
    this.unlessFailed(() => this.advance())
  }

  private advance(): void {
    while (this.completed[this.next] === true) {
      this.current().end()
      this.next += 1
      this.turn = undefined
      for (const batch of this.waiting[this.next]?.splice(0) ?? []) this.fold(batch)
    }
  }

  private unlessFailed(act: () => void): void {
    if (this.hasFailed) return
    try {
      act()
    } catch (error) {
      this.hasFailed = true
      throw error
    }
  }

  private fold(batch: Uint8Array): void {
    const turn = this.current()
    for (const entry of decodeEntries(batch)) this.addEntry(turn, entry)
  }

  /** A layer without entries has its turn, too. */
  private current(): LayerTurn {
    this.turn ??= this.begin(this.next)
    return this.turn
  }

  private addEntry(turn: LayerTurn, entry: StagedEntry): void {
    try {
      turn.add(entry)
    } catch (error) {
      throw withFacts(error, { layer: this.names[this.next]!, entry: display(entry.path) })
    }
  }
}
