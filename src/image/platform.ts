/** Platforms: names, defaults and how well they match. */
import { OciUnpackError } from '../errors.ts'
import type { Platform } from './types.ts'

/** `os/arch[/variant]` in Go's names. A few common spellings are accepted (x86_64, aarch64, armhf, armel). */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/')
  if (
    parts.length < 2 ||
    parts.length > 3 ||
    !parts.every((part) => /^[A-Za-z0-9_.-]+$/.test(part))
  ) {
    throw new OciUnpackError('USAGE', 'The platform is not valid.', {
      facts: { found: text },
      hint: 'Use os/arch[/variant], for example linux/arm64 or linux/arm/v7.'
    })
  }
  const [os, arch, variant] = parts.map((part) => part.toLowerCase())
  const known = ALIASES.get(arch!) ?? { architecture: arch! }
  return { os: os!, ...known, ...(variant === undefined ? {} : { variant }) }
}

/** The platform of this machine in Go's names. The arguments are Node's names; by default those of this process. */
export function hostPlatform(
  os: string = process.platform,
  arch: string = process.arch,
  armVersion: string | undefined = builtForArm()
): Platform {
  const architecture = NODE_ARCHITECTURES.get(arch) ?? arch
  const variant =
    architecture === 'arm' && armVersion !== undefined ? { variant: `v${armVersion}` } : {}
  return { os: os === 'win32' ? 'windows' : os, architecture, ...variant }
}

/** Only the platform of something that has one, such as a config. */
export function platformOf(described: Platform): Platform {
  const { os, architecture, variant } = described
  return { os, architecture, ...(variant === undefined ? {} : { variant }) }
}

/** `os/arch[/variant]`, for messages. */
export function platformText(platform: Platform | undefined): string {
  if (platform === undefined) return 'no platform'
  const { os, architecture, variant } = platform
  const version = platform['os.version']
  return (
    [os, architecture, ...(variant === undefined ? [] : [variant])].join('/') +
    (version === undefined ? '' : ` (${version})`)
  )
}

/**
 * How well a machine with platform `wanted` runs `offered`: 0 is the same spelling, more is worse, undefined is not at
 * all. Without a variant, arm means v7, arm64 v8 and amd64 v1; lower versions of these run on higher ones.
 */
export function platformDistance(wanted: Platform, offered: Platform): number | undefined {
  if (wanted.os !== offered.os || wanted.architecture !== offered.architecture) return undefined
  const version = variantVersion(wanted)
  const offeredVersion = variantVersion(offered)
  if (version === undefined || offeredVersion === undefined) {
    return namedVariantDistance(wanted, offered)
  }
  if (offeredVersion > version) return undefined
  const spelledAlike = nonEmpty(wanted.variant) === nonEmpty(offered.variant)
  return 2 * (version - offeredVersion) + (spelledAlike ? 0 : 1)
}

const ALIASES: ReadonlyMap<string, Omit<Platform, 'os'>> = new Map([
  ['x86_64', { architecture: 'amd64' }],
  ['x86-64', { architecture: 'amd64' }],
  ['i386', { architecture: '386' }],
  ['aarch64', { architecture: 'arm64' }],
  ['armhf', { architecture: 'arm', variant: 'v7' }],
  ['armel', { architecture: 'arm', variant: 'v6' }]
])

const NODE_ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ['x64', 'amd64'],
  ['ia32', '386'],
  ['ppc64', 'ppc64le'],
  ['mipsel', 'mipsle']
])

const DEFAULT_VARIANTS: ReadonlyMap<string, string> = new Map([
  ['arm', 'v7'],
  ['arm64', 'v8'],
  ['amd64', 'v1']
])

function variantVersion(platform: Platform): number | undefined {
  const standard = DEFAULT_VARIANTS.get(platform.architecture)
  if (standard === undefined) return undefined
  const match = /^v(\d+(?:\.\d+)?)$/.exec(nonEmpty(platform.variant) ?? standard)
  return match === null ? undefined : Number(match[1])
}

/** Variants without an order: equal ones match, and a request without a variant accepts any. */
function namedVariantDistance(wanted: Platform, offered: Platform): number | undefined {
  if (nonEmpty(wanted.variant) === nonEmpty(offered.variant)) return 0
  return nonEmpty(wanted.variant) === undefined ? 1 : undefined
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}

/** The ARM version that this Node was built for. `process.config` is untyped, and missing in some builds. */
function builtForArm(): string | undefined {
  const version: unknown = Reflect.get(process.config.variables, 'arm_version')
  return typeof version === 'string' && /^\d+$/.test(version) ? version : undefined
}
