/** The text of a hooks.toml as the tables that its schema allows. */
import type { WhiteoutForm } from '../plan/whiteout-form.ts'
import type { ExtractMode, Holds } from './calls.ts'
import { hooksInvalid } from './invalid.ts'
import { ALL_POINTS, hookName, type HookPoint } from './points.ts'
import { complaintOf } from './schema-error.ts'
import { validateHooks } from './schema.generated.ts'
import { lineOf, parseToml, TomlError } from '../toml.ts'
import type { TrustedFile } from './trusted-file.ts'

/** As written in the file, without defaults. */
export interface WrittenHooks {
  readonly name?: string
  readonly extract?: ExtractMode
  readonly whiteouts?: WhiteoutForm
  readonly manifest?: 'auto' | 'never'
  readonly precision?: Holds['precision']
  /** Separated by spaces. */
  readonly xattrs?: string
  readonly rootless?: boolean
  readonly env?: Readonly<Record<string, string>>
  readonly tables: ReadonlyMap<HookPoint, WrittenHook>
}

export interface WrittenHook {
  readonly command: readonly string[]
  readonly timeout?: string
  readonly mode?: 'exec' | 'session'
  readonly fallback?: 'mtree'
}

/** @throws HOOKS_INVALID with the line, the reason and the closest known word */
export function readDocument({ path, text }: TrustedFile): WrittenHooks {
  const document = parse(path, text)
  if (!validateHooks(document)) {
    const complaint = complaintOf(validateHooks.errors![0]!)
    const line = lineOf(text, complaint.path)
    throw hooksInvalid(path, complaint.reason, { line, hint: complaint.hint })
  }
  return { ...document, tables: tablesOf(document) }
}

function parse(path: string, text: string): Readonly<Record<string, unknown>> {
  try {
    return parseToml(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    throw hooksInvalid(path, error.message, { line: error.line, cause: error })
  }
}

function tablesOf(document: object): ReadonlyMap<HookPoint, WrittenHook> {
  const tables = new Map<HookPoint, WrittenHook>()
  for (const point of ALL_POINTS) {
    const table = tableAt(document, hookName(point).split('.'))
    if (table !== undefined) tables.set(point, table as WrittenHook)
  }
  return tables
}

function tableAt(document: object, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (table, key) => (table as Readonly<Record<string, unknown>> | undefined)?.[key],
    document
  )
}
