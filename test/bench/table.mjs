// Medians of runs as a Markdown table, with the ratio to the first row.

/** @param {Record<string, import('./measure.mjs').Usage[]>} results */
export function table(results) {
  const rows = Object.entries(results).map(([name, runs]) => [name, medians(runs)])
  const reference = rows[0][1].wall
  return [
    '| | wall s | user s | system s | largest process MiB | all processes MiB | times as fast |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows.map(([name, usage]) => row(name, usage, reference / usage.wall))
  ].join('\n')
}

function row(name, { wall, user, system, largest, together }, ratio) {
  const seconds = [wall, user, system].map((value) => value.toFixed(2))
  const memory = [largest, together].map((bytes) => (bytes / 2 ** 20).toFixed(0))
  return `| ${[name, ...seconds, ...memory, ratio.toFixed(2)].join(' | ')} |`
}

function medians(runs) {
  const median = (field) => {
    const values = runs.map((run) => run[field]).sort((a, b) => a - b)
    return (values[(values.length - 1) >> 1] + values[values.length >> 1]) / 2
  }
  return Object.fromEntries(Object.keys(runs[0]).map((field) => [field, median(field)]))
}
