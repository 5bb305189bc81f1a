/** Names of images as umoci reads them: what comes before the first colon is always a directory. */
import { TRANSPORTS } from '../transports/list.ts'
import type { Input } from './command.ts'

const FLAGS = ['image', 'layout']

/** The same input, in which no name begins with a transport. */
export function withoutTransports(input: Input): Input {
  const flags = Object.entries(input.flags).map(([name, value]) => [
    name,
    FLAGS.includes(name) && typeof value === 'string' ? asDirectory(value) : value
  ])
  return { ...input, flags: Object.fromEntries(flags) as Input['flags'] }
}

function asDirectory(text: string): string {
  return TRANSPORTS.some(({ name }) => text.startsWith(`${name}:`)) ? `./${text}` : text
}
