/** Finds the hooks.toml to use. Nothing in an image can influence this. */
import { accessSync, constants, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { homeDirectory } from '../sys/home.ts'
import { hooksInvalid } from './invalid.ts'
import { readTrustedFile, type TrustedFile } from './trusted-file.ts'

export interface LookupOptions {
  /** The path that the operator gave; it must exist. */
  readonly file?: string | undefined
  /** Default: the environment of this process. */
  readonly env?: NodeJS.ProcessEnv
}

/**
 * The first that exists of: `file`, $OCI_UNPACK_HOOKS, $XDG_CONFIG_HOME/oci-unpack/hooks.toml (by default below
 * ~/.config) and /etc/oci-unpack/hooks.toml. Undefined if none exists.
 * @throws HOOKS_INVALID if a file that was asked for is missing; HOOKS_UNSAFE
 */
export function findHooksFile({ file, env = process.env }: LookupOptions): TrustedFile | undefined {
  const asked = file ?? nonEmpty(env.OCI_UNPACK_HOOKS)
  if (asked !== undefined) return readTrustedFile(resolve(asked)) ?? missing(asked)
  for (const place of standardPlaces(env)) {
    const found = readTrustedFile(place)
    if (found !== undefined) return found
  }
  return undefined
}

/** In order of preference. Relative directories are ignored, as the XDG base directory specification demands. */
export function standardPlaces(env: NodeJS.ProcessEnv): string[] {
  const config = configDirectory(env)
  const directories = config === undefined ? ['/etc'] : [config, '/etc']
  return directories.map(hooksFileIn)
}

function configDirectory(env: NodeJS.ProcessEnv): string | undefined {
  const xdg = nonEmpty(env.XDG_CONFIG_HOME)
  if (xdg !== undefined && isAbsolute(xdg)) return isForeign(xdg, xdg) ? undefined : xdg
  const home = nonEmpty(env.HOME) ?? homeDirectory()
  if (home === undefined) return undefined
  const config = join(home, '.config')
  return isForeign(home, config) ? undefined : config
}

/**
 * Whether a directory belongs to another user, whose hooks are not the caller's: `sudo` and `su` may leave HOME as it
 * was. What belongs to root counts if it can be read: in many containers, root prepares everything.
 */
function isForeign(directory: string, config: string): boolean {
  try {
    const { uid } = statSync(directory)
    if (uid === process.geteuid!()) return false
    if (uid !== 0) return true
    accessSync(hooksFileIn(config), constants.R_OK)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES'
  }
}

function hooksFileIn(config: string): string {
  return join(config, 'oci-unpack', 'hooks.toml')
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}

function missing(file: string): never {
  throw hooksInvalid(file, 'there is no such file', {
    hint: 'Name an existing hooks.toml with {hooks}, or use no hooks ({hooks: undefined}).'
  })
}
