/** The files in contrib/ that are made from the declarations of the commands. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../src/cli/commands/index.ts'
import { contribFiles } from '../../src/cli/contrib.ts'
import { needs } from '../support/requires.ts'
import { run } from '../support/run.ts'

const root = new URL('../../', import.meta.url)
const files = contribFiles(read)
const pages = [...files.keys()].filter((path) => path.endsWith('.1'))

function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8')
}

test('what is in contrib/ is current', () => {
  for (const [path, text] of files)
    expect(read(path), `${path} is old: npm run contrib makes it anew`).toBe(text)
})

test('nothing else is there', () => {
  const there = ['contrib/completion', 'contrib/man'].flatMap((folder) =>
    readdirSync(new URL(folder, root)).map((name) => `${folder}/${name}`)
  )
  expect(there.sort()).toEqual([...files.keys()].sort())
})

test('an installation has all pages: npm links those that package.json names one by one', () => {
  const { man } = JSON.parse(read('package.json')) as { man: readonly string[] }
  expect(man.toSorted()).toEqual(pages.map((path) => `./${path}`).sort())
})

test('every command has a page, and the page of the program names it', () => {
  const program = files.get('contrib/man/oci-unpack.1')!
  for (const { path } of COMMANDS) {
    expect(pages).toContain(`contrib/man/oci-unpack-${path.join('-')}.1`)
    expect(program).toContain(
      `\\fBoci\\-unpack\\-${path.join('\\-').replaceAll(/(?<!\\)-/g, '\\-')}\\fR(1)`
    )
  }
})

describe('a page is right', () => {
  test.runIf(needs('mandoc'))('for mandoc', () => {
    const { stdout } = run('mandoc', '-T', 'lint', '-W', 'warning', ...pages)
    expect(stdout).toBe('')
  })

  test.runIf(needs('groff'))('for groff', () => {
    for (const page of pages)
      expect(run('groff', '-man', '-ww', '-z', page)).toMatchObject({ stderr: '', stdout: '' })
  })

  test.runIf(needs('mandoc'))('and shows what the declaration says', () => {
    for (const { path, flags, examples } of COMMANDS) {
      const page = `contrib/man/oci-unpack-${path.join('-')}.1`
      // mandoc prints bold letters twice, with a backspace between
      const shown = run('mandoc', '-T', 'utf8', page).stdout.replaceAll(/.\x08/g, '')
      for (const { name } of flags) expect(shown).toContain(`--${name}`)
      for (const example of examples) expect(shown).toContain(example)
    }
  })
})

describe.each([
  ['bash', 'oci-unpack.bash'],
  ['zsh', '_oci-unpack'],
  ['fish', 'oci-unpack.fish']
])('the completion for %s', (shell, name) => {
  test.runIf(needs(shell))('is a script', () => {
    expect(run(shell, '-n', `contrib/completion/${name}`)).toMatchObject({ status: 0, stderr: '' })
  })
})

test.runIf(needs('shellcheck'))('shellcheck finds nothing in that for bash', () => {
  expect(run('shellcheck', 'contrib/completion/oci-unpack.bash').stdout).toBe('')
})
