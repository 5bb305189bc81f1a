/** What the user gave, as options of the library. Loaded only when a command runs. */
import { OciUnpackError } from '../errors.ts'
import type { UnpackLimits } from '../index.ts'
import { text, type Input } from './command.ts'

const LIMITS: Readonly<Record<string, keyof UnpackLimits>> = {
  'max-entries': 'entries',
  'max-unpacked-bytes': 'unpackedBytes',
  'max-ratio': 'ratio',
  'max-path-bytes': 'pathBytes',
  'max-json-bytes': 'jsonBytes',
  'max-pax-bytes': 'paxBytes'
}

export function required(input: Input, name: string): string {
  const value = text(input, name)
  if (value !== undefined && value !== '') return value
  throw new OciUnpackError('USAGE', `The mandatory flag --${name} is missing.`)
}

export function platformOption(input: Input): { platform?: string } {
  const platform = text(input, 'platform')
  return platform === undefined ? {} : { platform }
}

export function limits(input: Input): UnpackLimits {
  const found: UnpackLimits = {}
  for (const [flag, option] of Object.entries(LIMITS)) {
    const value = wholeNumber(input, flag)
    if (value !== undefined) found[option] = value
  }
  return found
}

export function wholeNumber(input: Input, name: string): number | undefined {
  const value = text(input, name)
  if (value === undefined) return undefined
  if (/^[0-9]{1,15}$/.test(value)) return Number(value)
  throw new OciUnpackError('USAGE', `--${name} takes a whole number.`, { facts: { found: value } })
}
