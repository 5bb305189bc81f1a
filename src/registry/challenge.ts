/** What a registry asks for in WWW-Authenticate (RFC 9110, section 11), and how it is written in the wild. */

export interface Challenge {
  /** Lower case. */
  scheme: string
  /** By lower-case name. Of equal names, the first counts. */
  parameters: Record<string, string>
}

/** `name="value"` with escapes (a quote that is not closed ends with the header), or `name=value` up to a comma or space. */
const PARAMETER =
  /^([\w!#$%&'*+.^`|~-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)(?:"|$)|'([^',]*)'|([^\s,"]*))/
const SCHEME = /^([\w!#$%&'*+.^`|~/-]+)(?=$|[\s,])/

/** All challenges, in their order. Several headers may have been joined by commas. What cannot be understood is skipped. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = []
  for (let rest = skip(header); rest !== ''; rest = skip(rest)) {
    const parameter = PARAMETER.exec(rest)
    const scheme = SCHEME.exec(rest)
    if (parameter !== null) addParameter(challenges.at(-1), parameter)
    else if (scheme !== null) challenges.push({ scheme: scheme[1]!.toLowerCase(), parameters: {} })
    rest = rest.slice((parameter ?? scheme ?? /^[^\s,]+/.exec(rest))![0].length)
  }
  return challenges
}

function skip(text: string): string {
  return text.replace(/^[\s,]+/, '')
}

function addParameter(challenge: Challenge | undefined, match: RegExpExecArray): void {
  if (challenge === undefined) return
  const [, name, quoted, single, bare] = match
  challenge.parameters[name!.toLowerCase()] ??=
    quoted?.replaceAll(/\\(.)/g, '$1') ?? single ?? bare ?? ''
}
