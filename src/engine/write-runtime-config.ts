/** Writes the runtime configuration of an image without unpacking it. */
import { basename, resolve } from 'node:path'
import {
  createRuntimeConfig,
  formatRuntimeConfig,
  type RuntimeConfigOptions as RuntimeSpecOptions
} from '../bundle/runtime-config.ts'
import { namesAccounts, type Accounts } from '../bundle/user.ts'
import { fromText } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import { parsePlatform } from '../image/platform.ts'
import type { IdMapping } from '../plan/id-map.ts'
import type { RegistrySettings } from '../registry/registry.ts'
import { readAccountsOnDisk } from '../rootfs/accounts.ts'
import { prepared } from '../store/image-source.ts'
import { assertRunnable, resolveImage, type ResolvedImage } from '../store/resolve.ts'
import { close, openOperatorDirectory } from '../sys/files.ts'
import { parseImageName } from '../transports/image-name.ts'
import { withSource } from './transfer/with-source.ts'
import { choosePolicy } from './extract/rootless.ts'
import { heedSignals } from './operation/abort.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import { statementOf } from './bundle/for-outside.ts'
import { warningTo } from './operation/warnings.ts'
import { whileLending } from './place/lent-modes.ts'
import { replaceFile } from './place/replace-file.ts'
import { requireOptions } from './operation/required-options.ts'

export interface RuntimeConfigOptions {
  /** `[TRANSPORT:]PATH[:TAG]` or `…PATH@DIGEST`. */
  image: string
  /** The file to write; an existing one is replaced. */
  file: string
  /**
   * Directory of the unpacked image, to look up users and groups; its name becomes `root.path`, which is `.` otherwise.
   */
  rootfs?: string
  /** `os/arch[/variant]`: which image of an index; default the host's. */
  platform?: string
  uidMap?: readonly IdMapping[]
  gidMap?: readonly IdMapping[]
  /**
   * For a runtime without privileges: the host's network and /sys, no cgroup limits, no supplementary groups. A missing
   * (or empty) map maps 0 to the id of this process.
   */
  rootless?: boolean
  /** How registries are reached, and with which credentials; default as podman, skopeo and docker do. */
  registry?: RegistrySettings
  signal?: AbortSignal
  onEvent?: OnEvent
}

/**
 * Writes the runtime configuration that `unpack` would put into a bundle (image-spec conversion.md). Without a root
 * file system, named users and groups of the image become 0:0, with a warning.
 * @throws OciUnpackError with a stable `code`
 */
export async function writeRuntimeConfig(options: RuntimeConfigOptions): Promise<void> {
  requireOptions(options, { image: 'text', file: 'text' })
  return asked({ image: options.image }, async () => {
    const onWarning = warningTo(options.onEvent)
    const name = parseImageName(options.image, onWarning)
    const file = outputFile(options.file)
    const platform = options.platform === undefined ? undefined : parsePlatform(options.platform)
    const { registry, signal, onEvent } = options
    const image = await withSource(name, { registry, signal, onEvent }, (source, tag) =>
      prepared(source, () => resolveImage(source, tag, platform))
    )
    const content = runtimeConfig(image, options)
    await heedSignals(options.signal)
    replaceFile(file, content)
  })
}

function outputFile(path: string): string {
  if (path !== '') return resolve(path)
  throw new OciUnpackError('USAGE', 'The path of the runtime configuration is empty.')
}

function runtimeConfig(resolved: ResolvedImage, options: RuntimeConfigOptions): string {
  assertRunnable(resolved)
  const { config } = resolved
  const { rootfs, onEvent } = options
  const user = config.config?.User ?? ''
  if (rootfs === undefined && namesAccounts(user)) onEvent?.(unknownUser(user))
  const spec = createRuntimeConfig({
    image: config,
    rootPath: rootfs === undefined ? '.' : basename(resolve(rootfs)) || '/',
    accounts: rootfs === undefined ? undefined : accountsOf(rootfs),
    ...ownership(options)
  })
  return formatRuntimeConfig(spec)
}

type Ownership = Pick<RuntimeSpecOptions, 'uidMaps' | 'gidMaps' | 'rootless'>

function ownership(options: RuntimeConfigOptions): Ownership {
  const { recorded, rootless } = statementOf(choosePolicy(options))
  return { uidMaps: recorded.uidMap, gidMaps: recorded.gidMap, rootless }
}

function accountsOf(rootfs: string): Accounts {
  const fd = openOperatorDirectory(fromText(rootfs))
  try {
    return whileLending(fd, '', (ledger) => readAccountsOnDisk(fd, ledger))
  } finally {
    close(fd)
  }
}

function unknownUser(user: string): Parameters<OnEvent>[0] {
  return {
    type: 'warning',
    message:
      'The ids of this user cannot be looked up without a root file system, so they become 0:0.',
    facts: { pointer: '/config/User', found: user }
  }
}
