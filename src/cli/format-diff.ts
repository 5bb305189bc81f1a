/** The changes of a tree as lines of text or JSON. */
import { display } from '../bytes.ts'
import type { DiffEntry } from '../index.ts'
import type { Paint } from './paint.ts'

/** Only the keywords that differ, their values too, or everything as JSON. */
type DiffForm = 'keywords' | 'values' | 'json'

/** One line for a path that differs. */
export function formatDiff(entry: DiffEntry, form: DiffForm, paint: Paint): string {
  return `${form === 'json' ? formatJson(entry) : formatText(entry, form, paint)}\n`
}

const SIGNS = {
  added: ['+', 'green'],
  modified: ['M', 'yellow'],
  deleted: ['-', 'red']
} as const

function formatText(
  { kind, path, changes }: DiffEntry,
  form: 'keywords' | 'values',
  paint: Paint
): string {
  const [sign, style] = SIGNS[kind]
  const keywords = changes
    .map((change) => (form === 'keywords' ? formatKeyword(change) : formatValues(change)))
    .join(', ')
  return `${paint(style, `${sign} ${display(path)}`)}${keywords === '' ? '' : ` (${keywords})`}`
}

/** A file without a known digest is not known to have changed, only not known to be the same. */
function formatKeyword({ keyword, before }: DiffEntry['changes'][number]): string {
  const isUnknown = keyword === 'sha256digest' && before === undefined
  return isUnknown ? 'content unknown' : display(keyword)
}

/** A keyword that the tree manifest does not state is named as umoci names it, and scripts look for. */
function formatValues({ keyword, before, after }: DiffEntry['changes'][number]): string {
  const isUnstated = before === undefined && !keyword.startsWith('xattr.')
  const name = isUnstated ? `keyword "${display(keyword)}"` : display(keyword)
  return `${name} ${display(before ?? 'none')} → ${display(after ?? 'none')}`
}

/** Paths that are not UTF-8 are escaped by `display`, since JSON cannot contain bytes. */
function formatJson({ kind, path, changes }: DiffEntry): string {
  const shown = changes.map(({ keyword, before, after }) => ({
    keyword: display(keyword),
    before: before === undefined ? null : display(before),
    after: after === undefined ? null : display(after)
  }))
  return JSON.stringify({ kind, path: display(path), changes: shown })
}
