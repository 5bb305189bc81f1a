import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Copies a program of the host into a tree, with the libraries that it needs (`ldd`), so that it runs there. */
export function install(tree: string, program: string): void {
  const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+/g) ?? []
  for (const file of [program, ...libraries]) {
    const target = join(tree, file)
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(realpathSync(file), target)
  }
}
