import { display } from '../bytes.ts'
import type { DiffEntry } from '../index.ts'

/** One line for a path that differs: which keywords do, with both values too, or all as JSON. */
export function formatDiff(entry: DiffEntry, form: 'keywords' | 'values' | 'json'): string {
  return `${form === 'json' ? formatJson(entry) : formatText(entry, form)}\n`
}

const SIGNS = { added: '+', modified: 'M', deleted: '-' } as const

function formatText({ kind, path, changes }: DiffEntry, form: 'keywords' | 'values'): string {
  const keywords = changes
    .map(({ keyword, before, after }) =>
      form === 'keywords'
        ? display(keyword)
        : `${display(keyword)} ${display(before ?? 'none')} → ${display(after ?? 'none')}`
    )
    .join(', ')
  return `${SIGNS[kind]} ${display(path)}${keywords === '' ? '' : ` (${keywords})`}`
}

/** Paths that are not UTF-8 are escaped, as `display` does; JSON has no bytes. */
function formatJson({ kind, path, changes }: DiffEntry): string {
  const shown = changes.map(({ keyword, before, after }) => ({
    keyword: display(keyword),
    before: before === undefined ? null : display(before),
    after: after === undefined ? null : display(after)
  }))
  return JSON.stringify({ kind, path: display(path), changes: shown })
}
