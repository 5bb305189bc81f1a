/** The history of an image as umoci prints it. */
import type { HistoryStat } from '../inspect.ts'
import { humanSize } from './bytes.ts'
import { formatTable } from './table.ts'

/** @param show makes text from an image safe to print */
export function formatHistory(
  history: readonly HistoryStat[],
  show: (text: string) => string
): string {
  const rows = history.map(({ layer, entry }) => [
    layer?.digest ?? '<none>',
    show(entry.created ?? '<none>'),
    show(entry.created_by ?? ''),
    layer === undefined ? '<none>' : humanSize(layer.size),
    show(entry.comment ?? '')
  ])
  return formatTable([['LAYER', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT'], ...rows])
}
