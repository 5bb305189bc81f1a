/** The man page of one command. */
import type { Command, Flag } from '../command.ts'
import { HELP_FLAG } from '../flags.ts'
import { sentence } from '../sentence.ts'
import { options, positionals } from './option.ts'
import { bold, italic, literal, prose } from './roff.ts'
import { environment, examples, exitStatus, page, paragraph, section, seeAlso } from './section.ts'

/** `oci-unpack-raw-unpack`: the page's name, in the form that man(1) looks for. */
export function pageName({ path }: Command): string {
  return ['oci-unpack', ...path].join('-')
}

/** The page of a command; `neighbours` are other commands of its group. */
export function commandPage(command: Command, neighbours: readonly Command[]): string {
  const name = pageName(command)
  const related = ['oci-unpack', ...neighbours.map(pageName)]
  return page(
    name,
    section('NAME', [`${literal(name)} \\- ${prose(command.summary)}`]),
    section('SYNOPSIS', synopsis(command)),
    section('DESCRIPTION', description(command)),
    positionals(command.positionals),
    options('OPTIONS', [...command.flags, HELP_FLAG]),
    section(
      'GLOBAL OPTIONS',
      paragraph('Options for all commands are described in oci-unpack(1).')
    ),
    exitStatus('done', 'error', 'interrupted'),
    environment(command.environment ?? []),
    examples(command.examples),
    seeAlso(related.map((it) => ({ name: it, volume: 1 })))
  )
}

function synopsis({ path, aliases = [], flags, positionals }: Command): string[] {
  const required = flags.filter((flag) => flag.required === true).map(given)
  const rest = positionals.map(({ name, optional, variadic }) => {
    const term = variadic === true ? `${italic(name)}...` : italic(name)
    return optional === true ? `[${term}]` : term
  })
  const lines = [path.at(-1)!, ...aliases].map((word) => {
    const called = bold(['oci-unpack', ...path.slice(0, -1), word].join(' '))
    return [called, ...required, `[${italic('OPTION')}]...`, ...rest].join(' ')
  })
  return lines.flatMap((line, index) => (index === 0 ? [line] : ['.br', line]))
}

function given({ name, value }: Flag): string {
  const flag = bold(`--${name}`)
  return value === undefined ? flag : `${flag} ${italic(value)}`
}

function description({ summary, description }: Command): string[] {
  return paragraph(
    [sentence(summary), ...(description === undefined ? [] : [description])].join(' ')
  )
}
