/** Text in the language of man pages (man(7), groff_char(7)). No text is ever taken for a command. */

/** Prose. Hyphens stay hyphens, but those of options become the character that a terminal accepts. */
export function prose(text: string): string {
  const words = escaped(text).replaceAll(/(?<![\w-])--?(?=[a-z])[\w.-]*/gi, hyphens)
  return guarded(words)
}

/** Text to type exactly as shown: commands, names of files, options. */
export function literal(text: string): string {
  return guarded(hyphens(escaped(text)).replaceAll(/['`^~"]/g, (char) => TYPED[char]!))
}

export function bold(text: string): string {
  return `\\fB${literal(text)}\\fR`
}

export function italic(text: string): string {
  return `\\fI${literal(text)}\\fR`
}

/** An argument of a macro. */
export function argument(text: string): string {
  return `"${literal(text)}"`
}

const TYPED: Readonly<Record<string, string>> = {
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
  '"': '\\(dq'
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\e')
}

function hyphens(text: string): string {
  return text.replaceAll('-', '\\-')
}

/** Protects a line that begins like a command. */
function guarded(text: string): string {
  return text.replace(/^[.']/, '\\&$&')
}
