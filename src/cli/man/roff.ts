/** Text in the language of man pages: man(7), groff_char(7). What may be read as a command never is. */

/** Prose. Hyphens stay hyphens, but those of options are what a terminal takes. */
export function prose(text: string): string {
  const words = escaped(text).replaceAll(/(?<![\w-])--?(?=[a-z])[\w.-]*/gi, hyphens)
  return guarded(words)
}

/** What is typed as it stands here: commands, names of files, options. */
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

/** A line that begins with one of these would be a command. */
function guarded(text: string): string {
  return text.replace(/^[.']/, '\\&$&')
}
