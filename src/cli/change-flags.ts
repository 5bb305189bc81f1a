/** Flags of the commands that make an image, and how they become options of the library. */
import { OciUnpackError } from '../errors.ts'
import type { ChangeOptions, CompressOption, HistoryOptions, TagOptions } from '../index.ts'
import { isSet, text, type Flag, type Input } from './command.ts'
import { required, wholeNumber } from './flags.ts'

export const COMPRESS_FLAGS: readonly Flag[] = [
  {
    name: 'compress',
    value: 'KIND',
    summary: 'how the layer is packed (default: auto, which is as the layer below, or gzip)',
    choices: ['auto', 'none', 'gzip', 'zstd']
  },
  { name: 'compress-level', value: 'N', summary: 'gzip: 1 to 9 (default: 4); zstd: 1 to 19 (3)' },
  {
    name: 'time-precision',
    value: 'KIND',
    summary: 'modification times in the layer (default: nanoseconds)',
    choices: ['seconds', 'nanoseconds']
  },
  { name: 'jobs', value: 'N', summary: 'processors to use (default: all)' }
]

export const HISTORY_FLAGS: readonly Flag[] = [
  { name: 'no-history', summary: 'add no history entry' },
  { name: 'history.author', value: 'NAME', summary: 'author of the history entry' },
  { name: 'history.comment', value: 'TEXT', summary: 'comment of the history entry' },
  { name: 'history.created', value: 'DATE', summary: 'date of the history entry, RFC 3339' },
  { name: 'history.created_by', value: 'TEXT', summary: 'what made the change' }
]

export const TAG_FLAG: Flag = {
  name: 'tag',
  value: 'TAG',
  summary: 'tag of the result (default: that of --image)'
}

export const MASK_FLAGS: readonly Flag[] = [
  {
    name: 'mask-path',
    value: 'PATH',
    summary: 'leave out changes at and below this path (repeatable)',
    repeatable: true
  },
  { name: 'no-mask-volumes', summary: "also take changes in the image's volumes" }
]

export function changeOptions(input: Input): ChangeOptions {
  const level = wholeNumber(input, 'compress-level')
  const jobs = wholeNumber(input, 'jobs')
  const epoch = sourceDateEpoch(process.env['SOURCE_DATE_EPOCH'])
  return {
    image: required(input, 'image'),
    compress: (text(input, 'compress') ?? 'auto') as CompressOption,
    timePrecision: text(input, 'time-precision') === 'seconds' ? 'seconds' : 'nanoseconds',
    history: history(input),
    ...(level === undefined ? {} : { level }),
    ...(jobs === undefined ? {} : { jobs }),
    ...(epoch === undefined ? {} : { sourceDateEpoch: epoch })
  }
}

export function tagOptions(input: Input): TagOptions {
  const tag = text(input, 'tag')
  const platform = text(input, 'platform')
  return {
    ...changeOptions(input),
    ...(tag === undefined ? {} : { tag }),
    ...(platform === undefined ? {} : { platform })
  }
}

function history(input: Input): HistoryOptions | false {
  const author = text(input, 'history.author')
  const comment = text(input, 'history.comment')
  const created = text(input, 'history.created')
  const createdBy = text(input, 'history.created_by')
  const given = {
    ...(author === undefined ? {} : { author }),
    ...(comment === undefined ? {} : { comment }),
    ...(created === undefined ? {} : { created }),
    ...(createdBy === undefined ? {} : { createdBy })
  }
  if (!isSet(input, 'no-history')) return given
  if (Object.keys(given).length === 0) return false
  throw new OciUnpackError('USAGE', '--no-history may not be combined with other history flags.')
}

/** reproducible-builds.org: seconds since 1970; empty is as good as unset. */
function sourceDateEpoch(value: string | undefined): number | undefined {
  if (value === undefined || value === '') return undefined
  const seconds = /^-?[0-9]+$/.test(value) ? Number(value) : NaN
  if (Number.isSafeInteger(seconds)) return seconds
  throw new OciUnpackError('USAGE', 'SOURCE_DATE_EPOCH is not a whole number of seconds.', {
    facts: { found: value }
  })
}
