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

export function runAsUser(...words: string[]): Run {
  return run(AS_USER[0]!, ...AS_USER.slice(1), ...words)
}

/** The value of an expression of JavaScript, in which modules of the built program can be imported as `m('sys/…')`. */
export function evaluateAsUser<T>(expression: string): T {
  const build = new URL('../../build/', import.meta.url).href
  const script = `
    const m = (name) => import('${build}' + name + '.js')
    const failure = async (act) => { try { await act(); return 'none' } catch (e) { return e.errno ?? e.code } }
    console.log(JSON.stringify(await (async () => { ${expression} })()))`
  const words = [...AS_USER, process.execPath, '--input-type=module', '-e', script]
  return JSON.parse(execFileSync(words[0]!, words.slice(1), { encoding: 'utf8' })) as T
}

/** The user owns a directory with all that is in it, and can get there. */
export function giveToUser(path: string): void {
  ok('chmod', 'a+rx', `${path}/..`)
  ok('chown', '-Rh', `${USER}:${USER}`, path)
}
