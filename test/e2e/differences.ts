import { readFileSync } from 'node:fs'

const page = new URL('../../docs/differences-from-umoci.md', import.meta.url)

/** The rows of the page's table of tree differences, as rules for compare-trees: `GLOB:FIELD,…`. */
export function documentedDifferences(): string[] {
  return readFileSync(page, 'utf8')
    .split('\n')
    .flatMap((line) => /^\| `([^`]+)` \| ([a-z*, ]+) \|/.exec(line)?.slice(1, 3).join(':') ?? [])
    .map((rule) => rule.replaceAll(', ', ','))
}
