/** Text as a sentence, with a capital letter and a full stop. */
export function sentence(text: string): string {
  return `${capitalized(text)}${text.endsWith('.') ? '' : '.'}`
}

export function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}
