/** Modes in the symbolic form of chmod(1). */
const BITS: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111, X: 0o111 }
const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 }

/**
 * A mode such as `u=rwx,go=rx`, as in chmod(1). As mtree(5) demands, it starts from no permissions at all and ignores
 * the umask. Undefined if the text is not a mode.
 */
export function symbolicMode(text: string): number | undefined {
  let mode = 0
  for (const clause of text.split(',')) {
    const [, who = '', actions = ''] = /^([ugoa]*)((?:[-+=][rwxXst]*)+)$/.exec(clause) ?? []
    if (actions === '') return undefined
    const mask = who === '' ? WHO['a']! : union(who, WHO)
    for (const [, sign, letters = ''] of actions.matchAll(/([-+=])([rwxXst]*)/g))
      mode = apply(mode, sign, mask, permissions(letters, mask))
  }
  return mode
}

function permissions(letters: string, mask: number): number {
  const set = letters.includes('s') ? 0o6000 : 0
  const sticky = letters.includes('t') ? 0o1000 : 0
  return ((union(letters, BITS) | set) & mask) | sticky
}

function apply(mode: number, sign: string | undefined, mask: number, bits: number): number {
  if (sign === '-') return mode & ~bits
  return sign === '+' ? mode | bits : (mode & ~mask) | bits
}

function union(letters: string, values: Readonly<Record<string, number>>): number {
  return Array.from(letters).reduce((bits, letter) => bits | (values[letter] ?? 0), 0)
}
