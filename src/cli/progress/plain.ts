/** Progress as lines, for logs. */
import type { EngineEvent, LayerCounters, LayerInfo } from '../../index.ts'
import { errors } from '../streams.ts'
import {
  formatBytes,
  formatCall,
  formatLayer,
  formatPacked,
  formatTotal,
  formatTransfer,
  PHASES,
  type TransferEvent
} from './format.ts'

const INTERVAL_MS = 1000

/** Prints a line when something is done, and one with the totals each second. */
export class PlainDisplay {
  private layers: readonly LayerInfo[] = []
  private counters: readonly LayerCounters[] = []
  private lastLine = Date.now()

  readonly onEvent = (event: EngineEvent): void => {
    switch (event.type) {
      case 'image':
        this.layers = event.layers
        line(`unpacking ${event.image} (${event.manifest})`)
        return
      case 'progress':
        this.counters = event.layers
        if (Date.now() - this.lastLine >= INTERVAL_MS) this.total()
        return
      case 'layer':
        this.layer(event.layer, event.counters)
        return
      case 'phase':
        if (event.phase === 'join') this.total()
        line(PHASES[event.phase])
        return
      case 'changes':
        line(`${event.count.toLocaleString('en')} paths changed`)
        return
      case 'merge':
        line(`${event.kept.length.toLocaleString('en')} local changes kept`)
        return
      case 'packed':
        this.packed(event)
        return
      case 'blob':
        line(`${event.outcome} ${event.digest} (${formatBytes(event.size)})`)
        return
      case 'hook':
        if (event.state === 'begun') line(formatCall(event))
        return
      case 'transfer':
        this.transfer(event)
        return
      case 'hook-log':
      case 'leftover':
      case 'retry':
      case 'choice':
      case 'warning':
    }
  }

  /** Lines of the log do no harm to lines. */
  resume(): void {
    return
  }

  end(): void {
    return
  }

  private layer(index: number, counters: LayerCounters): void {
    line(`${formatLayer(index, this.layers[index]!, counters)}  verified`)
  }

  private packed({ entries, total }: { entries: number; total: number }): void {
    if (entries < total && Date.now() - this.lastLine < INTERVAL_MS) return
    this.lastLine = Date.now()
    line(formatPacked(entries, total))
  }

  private transfer(event: TransferEvent): void {
    if (event.bytes < event.total && Date.now() - this.lastLine < INTERVAL_MS) return
    this.lastLine = Date.now()
    line(formatTransfer(event))
  }

  private total(): void {
    this.lastLine = Date.now()
    line(formatTotal(this.layers, this.counters))
  }
}

function line(text: string): void {
  errors.write(`${text}\n`)
}
