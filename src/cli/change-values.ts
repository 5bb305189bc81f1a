/** The input of a command that makes an image, as options of the library. Loaded only when one runs. */
import { OciUnpackError } from '../errors.ts'
import type { ChangeOptions, CompressOption, HistoryOptions, TagOptions } from '../index.ts'
import { isSet, text, type Input } from './command.ts'
import { platformOption, required, wholeNumber } from './flag-values.ts'

export function changeOptions(input: Input): ChangeOptions {
  const level = wholeNumber(input, 'compress-level')
  const jobs = wholeNumber(input, 'jobs')
  const epoch = sourceDateEpoch()
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
  return {
    ...changeOptions(input),
    ...(tag === undefined ? {} : { tag }),
    ...platformOption(input)
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
  throw new OciUnpackError('USAGE', '--no-history cannot be used with other history flags.')
}

/** reproducible-builds.org: seconds since 1970. An empty value counts as unset. */
export function sourceDateEpoch(): number | undefined {
  const value = process.env['SOURCE_DATE_EPOCH']
  if (value === undefined || value === '') return undefined
  const seconds = /^-?[0-9]+$/.test(value) ? Number(value) : NaN
  if (Number.isSafeInteger(seconds)) return seconds
  throw new OciUnpackError('USAGE', 'SOURCE_DATE_EPOCH is not a whole number of seconds.', {
    facts: { found: value }
  })
}
