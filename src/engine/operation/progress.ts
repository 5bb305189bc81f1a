/** Reporting the progress of layers. */
import { Rate } from '../../transports/rate.ts'
import type { Control } from '../../worker/control.ts'
import type { OnEvent } from './events.ts'

const INTERVAL_MS = 100

/** Reads the shared counters ten times a second, and once more at the end. */
export function reportProgress(
  control: Control,
  layers: number,
  onEvent: OnEvent
): { stop: () => void } {
  const rate = new Rate()
  const report = (): void => {
    const counters = Array.from({ length: layers }, (_, index) => control.layer(index))
    const read = counters.reduce((sum, layer) => sum + layer.read, 0)
    onEvent({ type: 'progress', layers: counters, bytesPerSecond: rate.count(read) })
  }
  const timer = setInterval(report, INTERVAL_MS)
  return {
    stop() {
      clearInterval(timer)
      report()
    }
  }
}
