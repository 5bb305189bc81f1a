/** Running things as an ordinary user, who has no account. Needs root and setpriv. */
import { execFileSync } from 'node:child_process'
import { ok, run, type Run } from './run.ts'

export const USER = 1500

/** What makes the user's files belong to root in the image. */
export const MAPS = ['--uid-map', `0:${USER}`, '--gid-map', `0:${USER}`]
export const MAPPING = [{ containerId: 0, hostId: USER, size: 1 }]

/** What comes before a command of the user, who has no home either. */
export const AS_USER = [
  ...['setpriv', '--reuid', `${USER}`, '--regid', `${USER}`, '--clear-groups'],
  ...['--inh-caps=-all', 'env', '-u', 'HOME']
]

/** What comes before a command of root, who then may only do what the modes of files allow. */
export const HEEDING_MODES = [
  'setpriv',
  ...['--bounding-set', '-dac_override,-dac_read_search', '--inh-caps', '-all']
] as const

export function runAsUser(...words: string[]): Run {
  return run(AS_USER[0]!, ...AS_USER.slice(1), ...words)
}

/**
 * Runs JavaScript as the user and gives what it returns. In it, `at` is the directory, `mode(path)` the mode of what is
 * there, `m('sys/…')` imports a module of the built program, and `errno(act)` tells how `act` fails.
 */
export function evaluateAsUser(at: string, script: string): unknown {
  const build = new URL('../../build/', import.meta.url).href
  const prelude = `
    import * as fs from 'node:fs'
    const at = ${JSON.stringify(at)}
    const mode = (path) => (fs.lstatSync(at + '/' + path).mode & 0o7777).toString(8)
    const m = (name) => import('${build}' + name + '.js')
    const errno = async (act) => {
      try { await act(); return 'none' } catch (error) { return error.errno ?? error.code ?? String(error) }
    }
    const main = async () => { ${script} }
    console.log(JSON.stringify(await main()))`
  const words = [...AS_USER, process.execPath, '--input-type=module', '-e', prelude]
  return JSON.parse(execFileSync(words[0]!, words.slice(1), { encoding: 'utf8' }))
}

/** The user owns a directory with all that is in it, and can get there. */
export function giveToUser(path: string): void {
  ok('chmod', 'a+rx', `${path}/..`)
  ok('chown', '-Rh', `${USER}:${USER}`, path)
}
