/** The environment of a program: a little of ours, the [env] of its file, and the facts of the call. */
import type { IdMapping } from '../plan/id-map.ts'
import type { CheckContext } from './contexts.ts'
import { hookFailed } from './failures.ts'
import { hookName } from './points.ts'
import type { Environment } from './process.ts'
import { keyOf, PROTOCOL, type HookRequest } from './request.ts'

const ALLOWED = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'SOURCE_DATE_EPOCH']

/** The same for every program of a file. Its [env] wins. */
export function baseEnvironment(ours: NodeJS.ProcessEnv, env: Environment): Environment {
  const inherited = Object.entries(ours).flatMap(([name, value]) =>
    value !== undefined && (ALLOWED.includes(name) || name.startsWith('XDG_'))
      ? [[name, value] as const]
      : []
  )
  return { ...Object.fromEntries(inherited), ...env, OCI_UNPACK_PROTOCOL: String(PROTOCOL) }
}

/**
 * The facts of a call as variables. Lists are separated by newlines. A fact that the point does not have gets no
 * variable.
 * @throws HOOK_FAILED for a value with a NUL, which no environment can contain
 */
export function requestEnvironment(request: HookRequest): Environment {
  const variables = Object.entries(facts(request)).flatMap(([name, value]) =>
    value === undefined ? [] : [[`OCI_UNPACK_${name}`, withoutNul(name, value)] as const]
  )
  return Object.fromEntries(variables)
}

/** All contexts as one, in which any fact may be missing. */
type AnyContext = UnionToIntersection<Exclude<HookRequest['context'], CheckContext>>
type UnionToIntersection<T> = (T extends unknown ? (value: T) => void : never) extends (
  value: infer All
) => void
  ? Partial<All>
  : never

function facts({ point, context }: HookRequest): Record<string, string | undefined> {
  const known: AnyContext = context
  return {
    HOOK: hookName(point),
    BUNDLE: known.bundle,
    ROOTFS: known.rootfs,
    STATE: known.state,
    ROOTLESS: known.rootless === undefined ? undefined : known.rootless ? '1' : '0',
    UID_MAP: maps(known.uidMap),
    GID_MAP: maps(known.gidMap),
    LAYOUT: known.layout,
    REFERENCE: known.reference,
    PLATFORM: known.platform,
    MANIFEST_DIGEST: known.manifestDigest,
    CONFIG_DIGEST: known.configDigest,
    LAYER_COUNT: known.layerCount?.toString(),
    UNPACKED_SIZE: known.imageUnpackedSize?.toString(),
    UNPACKED_SIZE_IS: known.imageUnpackedSizeIs,
    LAYER_INDEX: known.index?.toString(),
    LAYER_DIGEST: known.digest,
    LAYER_MEDIATYPE: known.mediaType,
    LAYER_SIZE: known.size?.toString(),
    LAYER_UNPACKED_SIZE: known.unpackedSize?.toString(),
    LAYER_UNPACKED_SIZE_IS: known.unpackedSizeIs,
    DIFF_ID: known.diffId,
    CHAIN_ID: known.chainId,
    PARENT_CHAIN_ID: known.chainId === undefined ? undefined : (known.parentChainId ?? ''),
    KEY: keyOf(context),
    REFRESH: known.refresh === undefined ? undefined : known.refresh ? '1' : '0',
    TARGET: known.target,
    MERGED: known.merged,
    TARGETS: known.targets?.join('\n'),
    LAYER_TARGETS: point === 'finish' ? targetsOf(context.layers) : undefined,
    LINK: known.link,
    OLD_BUNDLE: known.oldBundle,
    OLD_ROOTFS: known.oldRootfs,
    OLD_MANIFEST_DIGEST: known.oldManifestDigest,
    LIVE_KEYS: known.liveKeys?.join('\n')
  }
}

/** In the form of the flags: `container:host:size`. */
function maps(mappings: readonly IdMapping[] | undefined): string | undefined {
  return mappings
    ?.map(({ containerId, hostId, size }) => `${containerId}:${hostId}:${size}`)
    .join('\n')
}

function targetsOf(layers: readonly { target?: string }[]): string {
  return layers.flatMap(({ target }) => target ?? []).join('\n')
}

function withoutNul(name: string, value: string): string {
  if (!value.includes('\0')) return value
  throw hookFailed(
    `OCI_UNPACK_${name} would contain a NUL, which an environment variable cannot hold`,
    {
      hint: 'Check this value in the image. Only a hook with mode = "session" can receive it.'
    }
  )
}
