import { spawnSync } from 'node:child_process'

const script = new URL('compare-trees.py', import.meta.url).pathname

/**
 * The differences between two directory trees, one line each (`path: field a != b`); see compare-trees.py.
 * @param ignore `GLOB:FIELD[,FIELD…]`
 */
export function compareTrees(a: string, b: string, ignore: readonly string[] = []): string[] {
  const options = ignore.flatMap((rule) => ['--ignore', rule])
  const run = spawnSync('python3', [script, ...options, a, b], {
    encoding: 'utf8',
    maxBuffer: 1 << 28
  })
  if (run.status === 0) return []
  if (run.status === 1 && run.stderr === '') return run.stdout.replace(/\n$/, '').split('\n')
  throw new Error(`compare-trees failed: ${run.error?.message ?? run.stderr}`)
}
