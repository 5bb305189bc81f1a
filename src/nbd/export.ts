/** What a server offers, and the names by which clients ask for it. */
import { MAX_STRING } from './wire.ts'

export interface Export {
  /** Without `/` or `./` at its beginning. */
  readonly name: string
  /** In bytes. */
  readonly size: number
}

export interface Offer {
  readonly exports: readonly [Export, ...Export[]]
  /** Whether the server is about to end, and takes no more orders. */
  isClosing(): boolean
}

/** The empty name is that of the default export, the first; `/` or `./` at the beginning of a name does not matter. */
export function findExport({ exports }: Offer, name: string): Export | undefined {
  if (name === '') return exports[0]
  const wanted = exportName(name)
  return exports.find((each) => each.name === wanted)
}

export function exportName(path: string): string {
  return path.replace(/^(?:\.?\/)+/, '')
}

/** Whether the protocol can transport the name ("Conventions" in its specification). */
export function isExportName(name: string): boolean {
  return name !== '' && !name.includes('\0') && Buffer.byteLength(name) <= MAX_STRING
}
