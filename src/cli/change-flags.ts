/** Flags of the commands that make an image. Declarations only: they are read at every start. */
import type { Flag, Variable } from './command.ts'

export const COMPRESS_FLAGS: readonly Flag[] = [
  {
    name: 'compress',
    value: 'KIND',
    summary: 'compression of the layer (default: auto: that of the layer below, or gzip)',
    choices: ['auto', 'none', 'gzip', 'zstd']
  },
  {
    name: 'compress-level',
    value: 'N',
    summary: '1 to 9 for gzip (default: 4), 1 to 19 for zstd (default: 3)'
  },
  {
    name: 'time-precision',
    value: 'KIND',
    summary: 'precision of times in the layer (default: nanoseconds; umoci writes seconds)',
    choices: ['seconds', 'nanoseconds']
  },
  { name: 'jobs', value: 'N', summary: 'processors to use (default: all; 0: no threads)' }
]

export const HISTORY_FLAGS: readonly Flag[] = [
  { name: 'no-history', summary: 'do not add a history entry' },
  { name: 'history.author', value: 'NAME', summary: 'author of the history entry' },
  { name: 'history.comment', value: 'TEXT', summary: 'comment of the history entry' },
  { name: 'history.created', value: 'DATE', summary: 'date of the history entry (RFC 3339)' },
  { name: 'history.created_by', value: 'TEXT', summary: 'command that made the change' }
]

export const SOURCE_DATE_EPOCH: Variable = {
  name: 'SOURCE_DATE_EPOCH',
  summary:
    'date of the history entry, and upper limit for times in the layer, in seconds since 1970'
}

export const TAG_FLAG: Flag = {
  name: 'tag',
  value: 'TAG',
  summary: 'tag of the result (default: that of --image)'
}

export const MASK_FLAGS: readonly Flag[] = [
  {
    name: 'mask-path',
    value: 'PATH',
    summary: 'ignore changes at and below this path (repeatable)',
    repeatable: true
  },
  { name: 'no-mask-volumes', summary: "include changes in the image's volumes" }
]
