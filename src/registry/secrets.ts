/** What must never be shown, and how what others wrote becomes fit to be shown. */
import { display, fromText } from '../bytes.ts'

/** Shorter secrets would be found in every text by chance. */
const SHORTEST = 4
const LONGEST_TEXT = 300

/** The secrets that a client knows. Servers and proxies may repeat them in what they answer. */
export class Secrets {
  private readonly known = new Set<string>()

  add(secret: string): void {
    for (const form of [secret, encodeURIComponent(secret)])
      if (form.length >= SHORTEST) this.known.add(form)
  }

  /** Text of a server for people: without secrets, printable and short. */
  show(text: string): string {
    let shown = text
    for (const secret of this.known) shown = shown.replaceAll(secret, '***')
    const printable = display(fromText(shown.trim()))
    return printable.length <= LONGEST_TEXT ? printable : `${printable.slice(0, LONGEST_TEXT)}…`
  }
}
