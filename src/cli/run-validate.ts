/** Runs `raw mtree-validate`. */
import { OciUnpackError } from '../errors.ts'
import { validateTree, type ValidateOptions } from '../index.ts'
import { isSet, text, type Input, type Run } from './command.ts'
import { jobsOption, required } from './flag-values.ts'
import { formatDiff } from './format-diff.ts'

export const runValidate: Run = async (input, terminal) => {
  const path = required(input, 'path')
  const { differences, unchecked } = await validateTree({
    manifest: required(input, 'manifest'),
    path,
    ...keywordOptions(input),
    rootless: isSet(input, 'rootless'),
    signal: terminal.signal
  })
  if (unchecked.length > 0)
    terminal.log.write('warn', `these keywords cannot be compared: ${unchecked.join(', ')}`)
  for (const entry of differences)
    terminal.out(formatDiff(entry, isSet(input, 'json') ? 'json' : 'values', terminal.paint))
  if (differences.length > 0) throw treeDiffers(path, differences.length)
}

function keywordOptions(input: Input): Pick<ValidateOptions, 'keywords' | 'addKeywords' | 'jobs'> {
  const use = text(input, 'use-keywords')
  const keywords = use === undefined ? umociKeywords(input) : { keywords: split(use) }
  return {
    ...keywords,
    addKeywords: split(text(input, 'add-keywords') ?? ''),
    ...jobsOption(input)
  }
}

function umociKeywords(input: Input): Pick<ValidateOptions, 'keywords'> {
  return isSet(input, 'umoci-keywords') ? { keywords: 'umoci' } : {}
}

function split(list: string): string[] {
  return list.split(/[, ]+/).filter((keyword) => keyword !== '')
}

function treeDiffers(path: string, differences: number): OciUnpackError {
  return new OciUnpackError('TREE_DIFFERS', 'The directory differs from the tree manifest.', {
    facts: { path, found: `${differences} differences` }
  })
}
