/** Turns a hooks.toml into its meaning: checks rules, fills in defaults, finds commands. */
import { basename, dirname } from 'node:path'
import { resolveCommand } from './command.ts'
import type { HookDefinition, HooksDefinition } from './definition.ts'
import { readDocument, type WrittenHooks } from './document.ts'
import { hooksInvalid } from './invalid.ts'
import { hookName, type HookPoint } from './points.ts'
import { brokenRule, defaultWhiteouts } from './rules.ts'
import { lineOf, type KeyPath } from '../toml.ts'
import { assertTrustedProgram, type TrustedFile } from './trusted-file.ts'

const DEFAULT_TIMEOUT = '60s'

/**
 * `searchPath` is where programs without a slash are looked up if [env] has no PATH.
 * @throws HOOKS_INVALID with the line and the reason; HOOKS_UNSAFE for a program that another user could change
 */
export function readHooks(file: TrustedFile, searchPath: string | undefined): HooksDefinition {
  const written = readDocument(file)
  const { extract = 'rootfs', manifest = 'auto', precision = 'nanoseconds' } = written
  const { env = {}, tables } = written
  checkRules(file, written)
  const directory = dirname(file.path)
  return {
    file: file.path,
    directory,
    env,
    settings: {
      name: written.name ?? basename(directory),
      extract,
      whiteouts: written.whiteouts ?? defaultWhiteouts(extract),
      manifest,
      precision,
      rootless: written.rootless ?? false,
      xattrs: written.xattrs?.split(' ').filter((word) => word !== ''),
      deltaFallback: tables.get('delta-list')?.fallback
    },
    hooks: [...tables.keys()].map((point) => readHook(file, written, point, env.PATH ?? searchPath))
  }
}

function checkRules(file: TrustedFile, written: WrittenHooks): void {
  const { extract = 'rootfs', whiteouts, rootless = false, tables } = written
  const broken = brokenRule({ extract, whiteouts, rootless, points: new Set(tables.keys()) })
  if (broken !== undefined) throw invalid(file, [broken.key], broken.reason)
}

function readHook(
  file: TrustedFile,
  { tables }: WrittenHooks,
  point: HookPoint,
  searchPath: string | undefined
): HookDefinition {
  const name = hookName(point)
  const { command, timeout = DEFAULT_TIMEOUT, mode = 'exec' } = tables.get(point)!
  const resolved = resolveCommand(command, dirname(file.path), searchPath)
  if ('reason' in resolved) throw invalid(file, [...name.split('.'), 'command'], resolved.reason)
  assertTrustedProgram(resolved[0], file.path)
  return { point, name, command: resolved, timeout: milliseconds(timeout), mode }
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 }

/** A time such as `500ms`, `30s` or `2m`, which the schema has checked. */
function milliseconds(time: string): number {
  const [, count, unit] = /^(\d+)(\w+)$/.exec(time)!
  return Number(count) * UNITS[unit!]!
}

function invalid(file: TrustedFile, key: KeyPath, reason: string): Error {
  return hooksInvalid(file.path, reason, { line: lineOf(file.text, key) })
}
