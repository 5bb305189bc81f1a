// Medians of runs as a Markdown table, with the ratio to the first row.

/** Heading of a column → its text for the medians of one row. */
const COLUMNS = {
  'wall s': ({ wall }) => wall.toFixed(2),
  'user s': ({ user }) => user.toFixed(2),
  'system s': ({ system }) => system.toFixed(2),
  'cores busy': ({ cores }) => cores.toFixed(2),
  'not all busy s': ({ waiting }) => waiting.toFixed(2),
  'of these last s': ({ tail }) => tail.toFixed(2),
  'largest process MiB': ({ largest }) => (largest / 2 ** 20).toFixed(0),
  'all processes MiB': ({ together }) => (together / 2 ** 20).toFixed(0)
}

/** @param {Record<string, import('./measure.mjs').Usage[]>} results */
export function table(results) {
  const rows = Object.entries(results).map(([name, runs]) => [name, medians(runs)])
  const reference = rows[0][1].wall
  const headings = [...Object.keys(COLUMNS), 'times as fast']
  return [
    `| | ${headings.join(' | ')} |`,
    `| --- | ${headings.map(() => '---:').join(' | ')} |`,
    ...rows.map(([name, usage]) => row(name, usage, reference / usage.wall))
  ].join('\n')
}

function row(name, usage, ratio) {
  const cells = Object.values(COLUMNS).map((text) => text(usage))
  return `| ${[name, ...cells, ratio.toFixed(2)].join(' | ')} |`
}

function medians(runs) {
  const median = (field) => {
    const values = runs.map((run) => run[field]).sort((a, b) => a - b)
    return (values[(values.length - 1) >> 1] + values[values.length >> 1]) / 2
  }
  return Object.fromEntries(Object.keys(runs[0]).map((field) => [field, median(field)]))
}
