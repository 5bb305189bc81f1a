/** The meaning of a hooks.toml: defaults filled in, absolute commands, times in milliseconds. */
import type { Environment } from './process.ts'
import type { HookSettings } from './hook-set.ts'
import type { HookPoint } from './points.ts'

export interface HooksDefinition {
  readonly settings: HookSettings
  /** Absolute path of the hooks.toml. */
  readonly file: string
  /** The directory of the file, in which every program runs. */
  readonly directory: string
  /** What the file adds to the environment of programs. */
  readonly env: Environment
  /** In the order in which the points are asked. */
  readonly hooks: readonly HookDefinition[]
}

export interface HookDefinition {
  readonly point: HookPoint
  /** The name of its table. */
  readonly name: string
  /** The absolute path of the program and its arguments. */
  readonly command: readonly [string, ...string[]]
  /** Milliseconds. */
  readonly timeout: number
  readonly mode: 'exec' | 'session'
}
