/** The building blocks of man pages. */
import { sentence } from '../sentence.ts'
import type { Variable } from '../command.ts'
import { EXIT_MEANINGS } from '../exit-status.ts'
import { wrap } from '../wrap.ts'
import { argument, bold, literal, prose } from './roff.ts'

/** Changes with the content of the pages. A fixed date keeps the pages the same for everyone who builds them. */
const EDITION = '2026-11-21'

/** The page as a file. Empty sections are left out. */
export function page(name: string, ...sections: readonly (readonly string[])[]): string {
  const title = ['.TH', argument(name.toUpperCase()), '1', EDITION, 'oci\\-unpack'].join(' ')
  return `${[title, ...sections.flat()].join('\n')}\n`
}

export function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`.SH ${title}`, ...lines]
}

/** Breaks lines at words, so that a change of the text touches few lines. */
export function paragraph(text: string): string[] {
  return wrap(text, 78).map(prose)
}

/** A term and what it means. */
export function entry(term: string, text: string): string[] {
  return ['.TP', term, ...paragraph(text)]
}

export function exitStatus(...names: (keyof typeof EXIT_MEANINGS)[]): string[] {
  const known = names.map((name) => EXIT_MEANINGS[name])
  return section(
    'EXIT STATUS',
    known.flatMap(({ status, meaning }) => entry(bold(status), meaning))
  )
}

export function environment(variables: readonly Variable[]): string[] {
  return section(
    'ENVIRONMENT',
    variables.flatMap(({ name, summary }) => entry(bold(name), sentence(summary)))
  )
}

/** Lines to type. */
export function examples(lines: readonly string[]): string[] {
  return section('EXAMPLES', lines.length === 0 ? [] : ['.EX', ...lines.map(literal), '.EE'])
}

export interface Reference {
  name: string
  volume: number
}

export function seeAlso(pages: readonly Reference[]): string[] {
  const rows = pages.map((it, index) => `${link(it)}${index + 1 < pages.length ? ',' : ''}`)
  return section('SEE ALSO', rows)
}

export function link({ name, volume }: Reference): string {
  return `${bold(name)}(${volume})`
}
