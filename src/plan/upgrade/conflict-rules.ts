/**
 * Rules for conflicts, as text: `ACTION` for all paths, or `ACTION:PATTERN` for some. The last rule about a path counts,
 * as in gitattributes(5). Pure.
 *
 * Patterns are those of gitignore(5) for whole paths, relative to the root: `*` and `?` do not match a slash, `**` does,
 * `[…]` is one of these bytes, a backslash takes away the meaning of the next one. A pattern is also about everything
 * below what it matches.
 */
import { display, fromText, type ByteString } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import type { Resolution } from './merge-plan.ts'

export const RESOLUTIONS: readonly Resolution[] = ['keep', 'new', 'both']

interface Rule {
  resolution: Resolution
  matches: (path: ByteString) => boolean
}

/** Returns what the rules say of a path; undefined if none is about it. @throws USAGE */
export function conflictRules(
  texts: readonly string[]
): (path: ByteString) => Resolution | undefined {
  const rules = texts.map(parseRule)
  return (path) => rules.findLast(({ matches }) => matches(path))?.resolution
}

function parseRule(text: string): Rule {
  const colon = text.indexOf(':')
  const action = colon < 0 ? text : text.slice(0, colon)
  const resolution = RESOLUTIONS.find((each) => each === action)
  if (resolution === undefined) throw unknownAction(text)
  if (colon < 0) return { resolution, matches: () => true }
  return { resolution, matches: pathMatcher(text, text.slice(colon + 1)) }
}

function pathMatcher(rule: string, pattern: string): Rule['matches'] {
  const cleaned = fromText(pattern)
    .replace(/\/(?:\.?\/)+/g, '/')
    .replace(/^\.?\//, '')
    .replace(/\/\.?$/, '')
  if (cleaned === '' || cleaned === '.') throw emptyPattern(rule)
  const expression = compile(rule, `^${translate(cleaned)}(?:/|$)`)
  return (path) => expression.test(path)
}

function compile(rule: string, source: string): RegExp {
  try {
    return new RegExp(source, 's')
  } catch (error) {
    throw invalidPattern(rule, error)
  }
}

const TOKEN = /\*\*\/|\/\*\*$|\*\*|\*|\?|\[[!^]?(?:\][^\]]*|[^\]]+)\]|\\.|[^]/g

/** As a regular expression. */
function translate(pattern: ByteString): string {
  return pattern.replace(TOKEN, (token) => {
    if (token === '**/') return '(?:.*/)?'
    if (token === '/**') return '/.+'
    if (token === '**') return '.*'
    if (token === '*') return '[^/]*'
    if (token === '?') return '[^/]'
    if (token.length > 2) return `(?!/)${bracket(token)}`
    return literal(token.at(-1)!)
  })
}

/** `[!a-z]` and `[^a-z]` mean any other byte; a bracket that closes at once stands for itself. */
function bracket(token: string): string {
  const isOther = token.length > 3 && (token[1] === '!' || token[1] === '^')
  const bytes = token.slice(isOther ? 2 : 1, -1).replace(/[\\[\]^]/g, '\\$&')
  return `[${isOther ? '^' : ''}${bytes}]`
}

function literal(byte: string): string {
  return byte.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&')
}

function unknownAction(text: string): OciUnpackError {
  return new OciUnpackError('USAGE', 'A rule for conflicts is not valid.', {
    facts: { found: display(fromText(text)), expected: RESOLUTIONS.join(', ') },
    hint: 'Write an action for all paths, such as keep, or an action and a pattern, such as both:etc/**.'
  })
}

function invalidPattern(text: string, cause: unknown): OciUnpackError {
  return new OciUnpackError('USAGE', 'A rule for conflicts has a pattern that is not valid.', {
    facts: { found: display(fromText(text)) },
    hint: 'The first byte of a range in brackets must not be greater than the last.',
    cause
  })
}

function emptyPattern(text: string): OciUnpackError {
  return new OciUnpackError('USAGE', 'A rule for conflicts has an empty pattern.', {
    facts: { found: display(fromText(text)) },
    hint: 'Leave out the colon for a rule about all paths.'
  })
}
