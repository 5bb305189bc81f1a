/** Shells as a user has them: with the completion that is in contrib/, in a directory of the test. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { ociUnpackCommand } from '../e2e/cli.ts'
import { expectOk, run } from './run.ts'

const COMPLETION = new URL('../../contrib/completion/', import.meta.url).pathname
const TYPE_INTO_SHELL = new URL('type-into-shell.py', import.meta.url).pathname

const BASH_START = `
PS1='READY> '
bind 'set enable-bracketed-paste off' 'set completion-query-items 0' 'set page-completions off'
bind -x '"\\C-g": printf "<<%s>>\\n" "$READLINE_LINE"; READLINE_LINE= READLINE_POINT=0'
source ${COMPLETION}oci-unpack.bash
`

const ZSH_START = `
PROMPT='READY> ' RPROMPT= LISTMAX=10000
unset zle_bracketed_paste
fpath=(${COMPLETION} $fpath)
autoload -Uz compinit && compinit -u -D
setopt no_auto_menu no_always_last_prompt
print-line() { print -r -- "<<$BUFFER>>"; BUFFER= }
zle -N print-line && bindkey '^G' print-line
`

export class InteractiveShells {
  private readonly directory: string

  /** `directory` is where the shells are and the home of their user; what is typed finds `oci-unpack` in PATH. */
  constructor(directory: string) {
    this.directory = directory
    mkdirSync(`${directory}/.bin`)
    const [node, main] = ociUnpackCommand
    writeFileSync(`${directory}/.bin/oci-unpack`, `#!/bin/sh\nexec '${node}' '${main}' "$@"\n`)
    chmodSync(`${directory}/.bin/oci-unpack`, 0o755)
    writeFileSync(`${directory}/.bashrc`, BASH_START)
    writeFileSync(`${directory}/.zshrc`, ZSH_START)
  }

  /** The lines as they stand in the editor of bash after each has been typed; `\t` asks for completion. */
  bash(lines: readonly string[]): string[] {
    return this.typed(lines, 'bash', '--noprofile', '--rcfile', '.bashrc', '-i')
  }

  zsh(lines: readonly string[]): string[] {
    return this.typed(lines, 'zsh', '--no-globalrcs', '-i')
  }

  /** What fish offers for each line that ends where the cursor is. */
  fish(lines: readonly string[]): string[][] {
    const calls = lines.map((line) => `complete -C '${line.replaceAll(/['\\]/g, '\\$&')}'; echo @@`)
    const script = [`source ${COMPLETION}oci-unpack.fish`, ...calls].join('\n')
    const offered = this.run('fish', '--no-config', '-c', script).split('@@\n').slice(0, -1)
    return offered.map((text) =>
      text
        .split('\n')
        .slice(0, -1)
        .map((row) => row.split('\t')[0]!)
    )
  }

  /** Output of a program. */
  run(...command: string[]): string {
    const { directory } = this
    const env = [`HOME=${directory}`, `ZDOTDIR=${directory}`, 'TERM=xterm', 'LC_ALL=C.UTF-8']
    const path = `PATH=${directory}/.bin:${process.env.PATH!}`
    return expectOk(run('env', '-C', directory, ...env, path, ...command), command[0]!).stdout
  }

  private typed(lines: readonly string[], ...shell: string[]): string[] {
    const answer = this.run('python3', TYPE_INTO_SHELL, JSON.stringify(lines), ...shell)
    return (JSON.parse(answer) as string[]).map((line) => line.replaceAll('\r', ''))
  }
}
