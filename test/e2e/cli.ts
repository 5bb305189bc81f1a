import { existsSync } from 'node:fs'
import { expectOk, run, type Run } from '../support/run.ts'

const main = new URL('../../dist/main.js', import.meta.url).pathname

/** The command line as a program and its first arguments. */
export const ociUnpackCommand: readonly [string, string] = [process.execPath, main]

/** Runs the built command line as a user does. */
export function ociUnpack(...args: string[]): Run {
  if (!existsSync(main)) throw new Error('the end-to-end tests run dist: npm run build first')
  return run(...ociUnpackCommand, ...args)
}

/** The same, for runs that must succeed. */
export function ociUnpackOk(...args: string[]): Run {
  return expectOk(ociUnpack(...args), `oci-unpack ${args.join(' ')}`)
}
