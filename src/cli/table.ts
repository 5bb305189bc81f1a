/**
 * Aligns rows as Go's text/tabwriter does for umoci: cells have at least four characters, with one space between them.
 * The last cell of a row is not padded.
 */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => length(row[column] ?? '')))
  )
  return rows
    .map((row) => {
      const padded = row.slice(0, -1).map((cell, column) => pad(cell, widths[column]!))
      return `${padded.join('')}${row.at(-1) ?? ''}\n`
    })
    .join('')
}

const LEAST_WIDTH = 4

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(Math.max(width + 1, LEAST_WIDTH) - length(cell))
}

/** In code points, as Go counts. */
function length(text: string): number {
  return Array.from(text).length
}
