/** The user's input as options of the library. Loaded only when a command runs. */
import { OciUnpackError } from '../errors.ts'
import type { UnpackLimits } from '../index.ts'
import { text, type Input } from './command.ts'
import { LIMIT_FLAGS } from './flags.ts'

export function required(input: Input, name: string): string {
  const value = text(input, name)
  if (value !== undefined && value !== '') return value
  throw new OciUnpackError('USAGE', `The required flag --${name} is missing.`)
}

export function platformOption(input: Input): { platform?: string } {
  const platform = text(input, 'platform')
  return platform === undefined ? {} : { platform }
}

export function jobsOption(input: Input): { jobs?: number } {
  const jobs = wholeNumber(input, 'jobs')
  return jobs === undefined ? {} : { jobs }
}

export function limits(input: Input): UnpackLimits {
  const found: UnpackLimits = {}
  for (const { name, option } of LIMIT_FLAGS) {
    const value = wholeNumber(input, name)
    if (value !== undefined) found[option.slice('limits.'.length) as keyof UnpackLimits] = value
  }
  return found
}

export function wholeNumber(input: Input, name: string, least = 0): number | undefined {
  const value = text(input, name)
  if (value === undefined) return undefined
  if (/^[0-9]{1,15}$/.test(value) && Number(value) >= least) return Number(value)
  throw new OciUnpackError('USAGE', `--${name} must be a whole number of ${least} or more.`, {
    facts: { found: value }
  })
}
