/**
 * What registries.conf says about registries: which are insecure or blocked, which stand in for others
 * (containers-registries.conf(5)). What is of another type than the manual says is ignored, and so are short names.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { OciUnpackError } from '../errors.ts'
import { parseToml, TomlError } from '../toml.ts'
import { readSettingsFile } from './settings-file.ts'
import { homeIn, inDirectory, nonEmpty } from './user-directories.ts'

/** A table for all images whose names begin with the prefix. */
export interface RegistryRule {
  /** `HOST`, `HOST/NAMESPACE…` or `*.DOMAIN`. */
  readonly prefix: string
  /** What stands in for the prefix; undefined: nothing. */
  readonly location: string | undefined
  readonly isInsecure: boolean
  readonly isBlocked: boolean
  readonly mirrors: readonly Mirror[]
  readonly file: string
}

export interface Mirror {
  /** Stands in for the prefix. */
  readonly location: string
  readonly isInsecure: boolean
  /** Which images may come from here. */
  readonly use: 'all' | 'digest-only' | 'tag-only'
}

type Fields = Readonly<Record<string, unknown>>

const SYSTEM = '/etc/containers/registries.conf'

/**
 * The rules of the file that $CONTAINERS_REGISTRIES_CONF names, or those of the user's or else the system's file and of
 * the files beside them, where a later rule replaces an earlier one for the same prefix.
 * @throws REGISTRIES_CONF_INVALID
 */
export function readRegistryRules(env: NodeJS.ProcessEnv): RegistryRule[] {
  const rules = files(env).flatMap(({ path, isNamed }) => rulesIn(path, isNamed))
  return [...new Map(rules.map((rule) => [rule.prefix, rule])).values()]
}

interface ConfFile {
  path: string
  isNamed: boolean
}

function files(env: NodeJS.ProcessEnv): ConfFile[] {
  const named = nonEmpty(env.CONTAINERS_REGISTRIES_CONF)
  if (named !== undefined) return [{ path: named, isNamed: true }]
  const user = inDirectory(homeIn(env), '.config/containers/registries.conf')
  const isUsers = user !== undefined && isThere(user)
  const besides = [SYSTEM, ...(user === undefined ? [] : [user])].flatMap((path) =>
    confsIn(`${path}.d`)
  )
  return [isUsers ? user : SYSTEM, ...besides].map((path) => ({ path, isNamed: false }))
}

function isThere(path: string): boolean {
  const found = readSettingsFile(path)
  return found instanceof Uint8Array || !found.isAbsent
}

function confsIn(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.conf'))
    return names.sort().map((name) => join(directory, name))
  } catch {
    return []
  }
}

function rulesIn(file: string, isNamed: boolean): RegistryRule[] {
  const bytes = readSettingsFile(file)
  if (!(bytes instanceof Uint8Array)) {
    if (bytes.isAbsent && !isNamed) return []
    throw invalid(file, bytes.reason)
  }
  const { registry, registries } = parse(bytes.toString('utf8'), file)
  return [
    ...formerRules(registries, file),
    ...tables(registry).flatMap((table) => rule(table, file))
  ]
}

function parse(text: string, file: string): Fields {
  try {
    return parseToml(text)
  } catch (error) {
    if (error instanceof TomlError) throw invalid(file, error.message, error.line)
    throw error
  }
}

function rule(table: Fields, file: string): RegistryRule[] {
  const { insecure, blocked, mirror } = table
  const location = text(table.location)
  const prefix = text(table.prefix) ?? location
  if (prefix === undefined) return []
  const onlyDigests = table['mirror-by-digest-only'] === true
  return [
    {
      prefix,
      location: prefix.startsWith('*.') ? undefined : location,
      isInsecure: insecure === true,
      isBlocked: blocked === true,
      mirrors: tables(mirror).flatMap((each) => mirrorIn(each, onlyDigests)),
      file
    }
  ]
}

function mirrorIn(table: Fields, onlyDigests: boolean): Mirror[] {
  const location = text(table.location)
  if (location === undefined) return []
  const asked = table['pull-from-mirror']
  const use = onlyDigests
    ? 'digest-only'
    : asked === 'digest-only' || asked === 'tag-only'
      ? asked
      : 'all'
  return [{ location, isInsecure: table.insecure === true, use }]
}

/** The first version of the format: lists of hosts. */
function formerRules(registries: unknown, file: string): RegistryRule[] {
  const { insecure, block } = (registries ?? {}) as Readonly<Record<string, Fields | undefined>>
  const hosts = (list: Fields | undefined): string[] =>
    Array.isArray(list?.registries) ? list.registries.flatMap((host) => text(host) ?? []) : []
  const [open, closed] = [hosts(insecure), hosts(block)]
  return [...new Set([...open, ...closed])].map((prefix) => ({
    prefix,
    location: undefined,
    isInsecure: open.includes(prefix),
    isBlocked: closed.includes(prefix),
    mirrors: [],
    file
  }))
}

function tables(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isTable) : []
}

function isTable(value: unknown): value is Fields {
  return typeof value === 'object'
}

/** Without the slash at the end, which some write. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' ? nonEmpty(value.replace(/\/+$/, '')) : undefined
}

function invalid(file: string, reason: string, line?: number): OciUnpackError {
  return new OciUnpackError(
    'REGISTRIES_CONF_INVALID',
    'The settings for registries are not valid.',
    {
      facts: { file, ...(line === undefined ? {} : { line }), reason },
      hint: 'See containers-registries.conf(5).'
    }
  )
}
