/** config.json: an image's config as a runtime configuration. */
import { toText, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { IdMapping } from '../plan/id-map.ts'
import { imageAnnotations } from './annotations.ts'
import { checkEnv, hasVariable, mergeEnv } from './env.ts'
import type { ExecutionDefaults, ImageConfig } from './image-config.ts'
import { printJson } from './json.ts'
import { rootlessMounts, volumeMounts, type RootlessHost } from './mounts.ts'
import { defaultRuntimeSpec } from './runtime-spec.ts'
import type { NamespaceType, ProcessUser, RuntimeSpec, SpecIdMapping } from './runtime-spec.ts'
import { checkUser, resolveUser, type Accounts, type ResolvedUser } from './user.ts'

export interface RuntimeConfigOptions {
  image: ImageConfig
  /** `root.path`: relative to the bundle. */
  rootPath: string
  /** Undefined: there is no root file system to look at, so a user or group given by name becomes 0:0. */
  accounts: Accounts | undefined
  uidMaps: readonly IdMapping[]
  gidMaps: readonly IdMapping[]
  /** Undefined: not rootless. */
  rootless: RootlessHost | undefined
}

/**
 * Checks everything that can be known before the root file system exists, so that nothing is unpacked in vain.
 * @throws CONFIG_UNSUPPORTED for an os other than linux (an image that names none may be for it), bad environment variables, ids out of range
 */
export function checkRuntimeConfig({ os, config }: ImageConfig): void {
  if (os && os !== 'linux') throw unsupportedOs(os)
  checkEnv(config?.Env ?? [])
  checkUser(config?.User ?? '')
}

/**
 * The runtime-spec configuration of an image, by image-spec conversion.md on top of umoci's defaults. `process.user`
 * contains ids in the container, whatever the maps.
 * @throws CONFIG_UNSUPPORTED as `checkRuntimeConfig`, USER_NOT_FOUND for a name that the accounts lack
 */
export function createRuntimeConfig(options: RuntimeConfigOptions): RuntimeSpec {
  checkRuntimeConfig(options.image)
  const spec = defaultRuntimeSpec()
  spec.root.path = options.rootPath
  spec.annotations = imageAnnotations(options.image)
  applyExecution(spec, options.image.config ?? {}, options.accounts)
  applyIdMaps(spec, options.uidMaps, options.gidMaps)
  if (options.rootless !== undefined) makeRootless(spec, options.rootless)
  return spec
}

/** `config.json`: indented with tabs, one newline at the end. */
export function formatRuntimeConfig(spec: RuntimeSpec): string {
  return printJson(spec, '\t')
}

function applyExecution(
  spec: RuntimeSpec,
  config: ExecutionDefaults,
  accounts: Accounts | undefined
): void {
  const user = lookUp(config.User ?? '', accounts)
  const args = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])]
  const env = mergeEnv(spec.process.env, config.Env ?? [])
  spec.process.user = toProcessUser(user)
  spec.process.env = withHome(env, user.home)
  if (args.length > 0) spec.process.args = args
  if (config.WorkingDir) spec.process.cwd = config.WorkingDir
  spec.mounts.push(...volumeMounts(config.Volumes ?? {}))
}

function lookUp(user: string, accounts: Accounts | undefined): ResolvedUser {
  try {
    return resolveUser(user, accounts ?? { passwd: undefined, group: undefined })
  } catch (error) {
    const unknown = error instanceof OciUnpackError && error.code === 'USER_NOT_FOUND'
    if (accounts !== undefined || !unknown) throw error
    return { uid: 0, gid: 0, additionalGids: [], home: undefined }
  }
}

function toProcessUser({ uid, gid, additionalGids }: ResolvedUser): ProcessUser {
  return additionalGids.length === 0
    ? { uid, gid }
    : { uid, gid, additionalGids: [...additionalGids] }
}

/** JSON cannot contain a home that is not UTF-8. */
function withHome(env: string[], home: ByteString | undefined): string[] {
  const text = home === undefined ? undefined : toText(home)
  return text === undefined || hasVariable(env, 'HOME') ? env : [...env, `HOME=${text}`]
}

function applyIdMaps(
  spec: RuntimeSpec,
  uidMaps: readonly IdMapping[],
  gidMaps: readonly IdMapping[]
): void {
  if (uidMaps.length === 0 && gidMaps.length === 0) return
  replaceNamespaces(spec, ['user'])
  const { resources, namespaces, maskedPaths, readonlyPaths } = spec.linux
  spec.linux = {
    ...(uidMaps.length === 0 ? {} : { uidMappings: uidMaps.map(toSpecMapping) }),
    ...(gidMaps.length === 0 ? {} : { gidMappings: gidMaps.map(toSpecMapping) }),
    ...(resources === undefined ? {} : { resources }),
    namespaces,
    maskedPaths,
    readonlyPaths
  }
}

function makeRootless(spec: RuntimeSpec, host: RootlessHost): void {
  delete spec.process.user.additionalGids
  delete spec.linux.resources
  replaceNamespaces(spec, ['network', 'user'])
  spec.mounts = rootlessMounts(spec.mounts, host)
}

/** Removes the given namespaces and adds a new user namespace at the end. */
function replaceNamespaces(spec: RuntimeSpec, removed: readonly NamespaceType[]): void {
  const kept = spec.linux.namespaces.filter(({ type }) => !removed.includes(type))
  spec.linux.namespaces = [...kept, { type: 'user' }]
}

function toSpecMapping({ containerId, hostId, size }: IdMapping): SpecIdMapping {
  return { containerID: containerId, hostID: hostId, size }
}

function unsupportedOs(os: string): OciUnpackError {
  return new OciUnpackError('CONFIG_UNSUPPORTED', 'Only Linux images can become runtime bundles.', {
    facts: { pointer: '/os', expected: 'linux', found: os },
    hint: 'Choose another {platform}, or unpack only the root file system.'
  })
}
