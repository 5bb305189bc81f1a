/** The directories of the user, by the environment or else by the account. */
import { isAbsolute, join } from 'node:path'
import { homeDirectory } from '../sys/home.ts'

/** Undefined if neither HOME nor an account gives one. */
export function homeIn(env: NodeJS.ProcessEnv): string | undefined {
  return nonEmpty(env.HOME) ?? nonEmpty(homeDirectory())
}

/** For settings: $XDG_CONFIG_HOME if it is absolute, as the XDG base directory specification demands, or ~/.config. */
export function configDirectory(env: NodeJS.ProcessEnv): string | undefined {
  const xdg = nonEmpty(env.XDG_CONFIG_HOME)
  return xdg !== undefined && isAbsolute(xdg) ? xdg : inDirectory(homeIn(env), '.config')
}

export function inDirectory(directory: string | undefined, name: string): string | undefined {
  return directory === undefined ? undefined : join(directory, name)
}

/** A variable that is empty counts as unset. */
export function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}
