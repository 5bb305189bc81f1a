/** Reporting the progress of layers. */
import type { Control } from '../../worker/control.ts'
import type { OnEvent } from './events.ts'

const INTERVAL_MS = 100

/** Reads the shared counters ten times a second, and once more at the end. */
export function reportProgress(
  control: Control,
  layers: number,
  onEvent: OnEvent
): { stop: () => void } {
  const report = (): void =>
    onEvent({
      type: 'progress',
      layers: Array.from({ length: layers }, (_, index) => control.layer(index))
    })
  const timer = setInterval(report, INTERVAL_MS)
  return {
    stop() {
      clearInterval(timer)
      report()
    }
  }
}
