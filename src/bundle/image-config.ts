/**
 * The part of an image configuration (image-spec config.md) that a runtime configuration uses. There may be more
 * fields.
 */
export interface ImageConfig {
  os?: Optional<string>
  architecture?: Optional<string>
  variant?: Optional<string>
  'os.version'?: Optional<string>
  'os.features'?: Optional<readonly string[]>
  author?: Optional<string>
  created?: Optional<string>
  config?: Optional<ExecutionDefaults>
}

export interface ExecutionDefaults {
  User?: Optional<string>
  Env?: Optional<readonly string[]>
  Entrypoint?: Optional<readonly string[]>
  Cmd?: Optional<readonly string[]>
  WorkingDir?: Optional<string>
  ExposedPorts?: Optional<Readonly<Record<string, unknown>>>
  Volumes?: Optional<Readonly<Record<string, unknown>>>
  Labels?: Optional<Readonly<Record<string, string>>>
  StopSignal?: Optional<string>
}

/** Go's encoder leaves out empty fields; other encoders in Go write null. */
type Optional<Value> = Value | null | undefined
