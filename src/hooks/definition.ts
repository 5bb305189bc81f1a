/** A hooks.toml as it is meant: defaults filled in, commands absolute, times in milliseconds. */
import type { Environment } from './process.ts'
import type { HookSettings } from './hook-set.ts'
import type { HookPoint } from './points.ts'

export interface HooksDefinition {
  readonly settings: HookSettings
  /** Absolute path of the hooks.toml. */
  readonly file: string
  /** Of the file: the working directory of every program. */
  readonly directory: string
  /** What the file adds to the environment. */
  readonly env: Environment
  /** In the order in which the points are asked. */
  readonly hooks: readonly HookDefinition[]
}

export interface HookDefinition {
  readonly point: HookPoint
  /** Of its table. */
  readonly name: string
  /** The absolute path of the program and its arguments. */
  readonly command: readonly [string, ...string[]]
  /** Milliseconds. */
  readonly timeout: number
  readonly mode: 'exec' | 'session'
}
