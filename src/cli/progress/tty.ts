/** Progress on a terminal, which redraws itself. */
import type { EngineEvent, HookCallEvent, LayerCounters, LayerInfo } from '../../index.ts'
import { errors } from '../streams.ts'
import {
  formatBytes,
  formatCall,
  formatLayer,
  formatPacked,
  formatTotal,
  formatTransfer,
  PHASES
} from './format.ts'

const INTERVAL_MS = 100

/** A block of lines that redraws itself: one for each layer in progress, and the total. */
export class TtyDisplay {
  private layers: readonly LayerInfo[] = []
  private counters: readonly LayerCounters[] = []
  private readonly done = new Set<number>()
  private phase = ''
  private transfer = ''
  private packed: { entries: number; total: number } | undefined
  /** Hooks that have not answered yet. */
  private readonly calls = new Set<string>()
  private lastDrawn = 0
  private drawn = 0

  readonly onEvent = (event: EngineEvent): void => {
    switch (event.type) {
      case 'image':
        this.layers = event.layers
        return
      case 'progress':
        this.counters = event.layers
        break
      case 'layer':
        this.done.add(event.layer)
        break
      case 'phase':
        this.phase = PHASES[event.phase]
        break
      case 'changes':
      case 'merge':
        return
      case 'blob':
        this.phase = `${event.outcome} ${event.digest} (${formatBytes(event.size)})`
        break
      case 'packed':
        this.packed = event
        if (event.entries < event.total && Date.now() - this.lastDrawn < INTERVAL_MS) return
        break
      case 'hook':
        this.call(event)
        break
      case 'transfer':
        this.transfer = formatTransfer(event)
        break
      case 'hook-log':
      case 'leftover':
      case 'retry':
      case 'choice':
      case 'warning':
        this.erase()
        return
    }
    this.draw()
  }

  /** Shows again what a line of the log has replaced, if it would stay away for long. */
  resume(): void {
    if (this.drawn === 0 && this.calls.size > 0) this.draw()
  }

  end(): void {
    this.erase()
  }

  private call(event: HookCallEvent): void {
    const call = formatCall(event)
    if (event.state === 'begun') this.calls.add(call)
    else this.calls.delete(call)
  }

  private draw(): void {
    const width = errors.size.columns || 80
    const lines = this.lines().map((line) => line.slice(0, width - 1))
    this.erase()
    this.lastDrawn = Date.now()
    if (lines.length > 0) errors.write(`${lines.join('\n')}\n`)
    this.drawn = lines.length
  }

  private lines(): string[] {
    if (this.layers.length === 0) return [...this.changeLines(), ...this.calls]
    const room = Math.max(1, (errors.size.rows || 24) - 3)
    const working = this.layers
      .map((info, index) => ({ info, index, counters: this.counters[index] }))
      .filter(({ index, counters }) => !this.done.has(index) && (counters?.read ?? 0) > 0)
      .slice(0, room)
      .map(({ info, index, counters }) => formatLayer(index, info, counters!))
    const verified = `${this.done.size} of ${this.layers.length} layers verified`
    return [
      ...working,
      formatTotal(this.layers, this.counters),
      this.phase || verified,
      ...[...this.calls].slice(0, room - working.length)
    ]
  }

  private changeLines(): string[] {
    const { packed } = this
    return [
      ...(packed === undefined ? [] : [formatPacked(packed.entries, packed.total)]),
      ...[this.phase, this.transfer].filter((line) => line !== '')
    ]
  }

  private erase(): void {
    if (this.drawn > 0) errors.write(`\x1b[${this.drawn}A\x1b[J`)
    this.drawn = 0
  }
}
