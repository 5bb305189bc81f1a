/** Changes to the config of an image. */
import { OciUnpackError } from '../errors.ts'
import { withFields, without } from './fields.ts'
import { parseTimestamp } from './timestamp.ts'
import type { ExecutionConfig, ImageConfig, ImageManifest, Platform } from './types.ts'
import { setVariable } from './variables.ts'

/**
 * Changes to an image's config and to the annotations of its manifest. Fields that are not named stay as they are.
 * Fields to clear are cleared before anything is set. Empty text, or an empty list of arguments, removes a field.
 */
export interface ConfigChanges {
  clear?: readonly ClearKey[]
  /** RFC 3339. */
  created?: string
  author?: string
  /** Go's names (image-spec image-index.md, platform). */
  os?: string
  osVersion?: string
  architecture?: string
  variant?: string
  /** `user[:group]`, by name or id. */
  user?: string
  workingDir?: string
  stopSignal?: string
  /** `port[/protocol]`; added to the existing ones. */
  exposedPorts?: readonly string[]
  /** Paths; added to the existing ones. */
  volumes?: readonly string[]
  /** `NAME=VALUE`; replaces the variable with that name in its place. */
  env?: readonly string[]
  entrypoint?: readonly string[]
  cmd?: readonly string[]
  /** Added to the existing ones. */
  labels?: Readonly<Record<string, string>>
  /** Annotations of the manifest; added to the existing ones. */
  annotations?: Readonly<Record<string, string>>
}

/** What can be cleared, in umoci's names. */
export type ClearKey =
  | 'config.labels'
  | 'config.exposedports'
  | 'config.env'
  | 'config.volume'
  | 'config.cmd'
  | 'config.entrypoint'
  | 'manifest.annotations'

const CLEARED_FIELDS: Readonly<Record<ClearKey, keyof ExecutionConfig | undefined>> = {
  'config.labels': 'Labels',
  'config.exposedports': 'ExposedPorts',
  'config.env': 'Env',
  'config.volume': 'Volumes',
  'config.cmd': 'Cmd',
  'config.entrypoint': 'Entrypoint',
  'manifest.annotations': undefined
}

/** Callers may get the key from a user. @throws USAGE for a key that does not exist */
function checked(key: ClearKey): ClearKey {
  if (Object.hasOwn(CLEARED_FIELDS, key)) return key
  const isLayers = (key as string) === 'rootfs.diffids'
  throw new OciUnpackError('USAGE', 'This field cannot be cleared.', {
    facts: {
      found: key,
      ...(isLayers ? { reason: 'the image could not be unpacked without its diff IDs' } : {}),
      available: Object.keys(CLEARED_FIELDS).join(', ')
    }
  })
}

/** Image-spec config.md. @throws USAGE */
export function changeConfig(config: ImageConfig, changes: ConfigChanges): ImageConfig {
  const execution = changeExecution(config.config ?? {}, changes)
  const isNeeded = config.config !== undefined || Object.keys(execution).length > 0
  return withFields(config, {
    created: changes.created === undefined ? undefined : parseTimestamp(changes.created),
    author: changes.author,
    architecture: required('architecture', changes.architecture),
    os: required('os', changes.os),
    'os.version': changes.osVersion,
    variant: changes.variant,
    ...(isNeeded ? { config: execution } : {})
  })
}

/** Image-spec manifest.md, annotations. @throws USAGE */
export function changeManifest(manifest: ImageManifest, changes: ConfigChanges): ImageManifest {
  const isCleared = changes.clear?.includes('manifest.annotations')
  const cleared = isCleared === true ? without(manifest, ['annotations']) : manifest
  return withFields(cleared, { annotations: merge(cleared.annotations, changes.annotations) })
}

/** The platform that a descriptor gives for the image. @throws USAGE */
export function changePlatform(platform: Platform, changes: ConfigChanges): Platform {
  return withFields(platform, {
    architecture: required('architecture', changes.architecture),
    os: required('os', changes.os),
    'os.version': changes.osVersion,
    variant: changes.variant
  })
}

function changeExecution(config: ExecutionConfig, changes: ConfigChanges): ExecutionConfig {
  const fields = (changes.clear ?? []).map((key) => CLEARED_FIELDS[checked(key)])
  const cleared = without(config, fields)
  return withFields(cleared, {
    User: changes.user,
    ExposedPorts: addMembers(cleared.ExposedPorts, changes.exposedPorts),
    Env: setVariables(cleared.Env, changes.env),
    Entrypoint: changes.entrypoint,
    Cmd: changes.cmd,
    Volumes: addMembers(cleared.Volumes, changes.volumes),
    WorkingDir: changes.workingDir,
    Labels: merge(cleared.Labels, changes.labels),
    StopSignal: changes.stopSignal
  })
}

function setVariables(
  env: readonly string[] = [],
  given: readonly string[] | undefined
): readonly string[] | undefined {
  const nameless = given?.find((variable) => variable.indexOf('=') < 1)
  if (nameless === undefined) return given?.reduce<readonly string[]>(setVariable, env)
  throw new OciUnpackError('USAGE', 'An environment variable is not NAME=VALUE.', {
    facts: { found: nameless }
  })
}

type Members = Readonly<Record<string, object | null>>

/** A set in Go's JSON is an object of empty objects. */
function addMembers(set: Members = {}, given: readonly string[] | undefined): Members | undefined {
  if (given?.includes('') === true) throw new OciUnpackError('USAGE', 'A port or volume is empty.')
  if (given === undefined || given.length === 0) return undefined
  return { ...Object.fromEntries(given.map((member) => [member, {}])), ...set }
}

type Texts = Readonly<Record<string, string>>

function merge(texts: Texts = {}, given: Texts | undefined): Texts | undefined {
  if (given !== undefined && Object.hasOwn(given, ''))
    throw new OciUnpackError('USAGE', 'A label or annotation has no name.', {
      facts: { found: `=${given['']!}` }
    })
  if (given === undefined || Object.keys(given).length === 0) return undefined
  return { ...texts, ...given }
}

/** Image-spec config.md: REQUIRED. */
function required(name: string, value: string | undefined): string | undefined {
  if (value !== '') return value
  throw new OciUnpackError('USAGE', `The ${name} of an image cannot be empty.`, {
    hint: "Use one of Go's names, for example linux or amd64."
  })
}
