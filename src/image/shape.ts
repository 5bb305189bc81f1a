/**
 * The known fields of each document, in the order of Go's image-spec structs, which umoci writes. One table both for
 * reading (where null means absent) and for writing.
 */
export type Shape =
  | { kind: 'any' }
  | { kind: 'map' }
  | { kind: 'list'; of: Shape; required: boolean }
  /** A list with a shape for each item. */
  | { kind: 'tuple'; of: readonly Shape[] }
  | { kind: 'struct'; fields: Readonly<Record<string, Shape>> }

type Struct = Extract<Shape, { kind: 'struct' }>

const ANY: Shape = { kind: 'any' }
const MAP: Shape = { kind: 'map' }

export const PLATFORM_SHAPE: Shape = struct({
  architecture: ANY,
  os: ANY,
  'os.version': ANY,
  'os.features': ANY,
  variant: ANY
})

export const DESCRIPTOR_SHAPE: Shape = struct({
  mediaType: ANY,
  digest: ANY,
  size: ANY,
  urls: ANY,
  annotations: MAP,
  data: ANY,
  platform: PLATFORM_SHAPE,
  artifactType: ANY
})

export const INDEX_SHAPE: Struct = struct({
  schemaVersion: ANY,
  mediaType: ANY,
  artifactType: ANY,
  manifests: list(DESCRIPTOR_SHAPE),
  subject: DESCRIPTOR_SHAPE,
  annotations: MAP
})

export const MANIFEST_SHAPE: Shape = struct({
  schemaVersion: ANY,
  mediaType: ANY,
  artifactType: ANY,
  config: DESCRIPTOR_SHAPE,
  layers: list(DESCRIPTOR_SHAPE),
  subject: DESCRIPTOR_SHAPE,
  annotations: MAP
})

export const HISTORY_FIELDS: Readonly<Record<string, Shape>> = {
  created: ANY,
  created_by: ANY,
  author: ANY,
  comment: ANY,
  empty_layer: ANY
}

export const CONFIG_SHAPE: Shape = struct({
  created: ANY,
  author: ANY,
  architecture: ANY,
  os: ANY,
  'os.version': ANY,
  'os.features': ANY,
  variant: ANY,
  config: struct({
    User: ANY,
    ExposedPorts: MAP,
    Env: ANY,
    Entrypoint: ANY,
    Cmd: ANY,
    Volumes: MAP,
    WorkingDir: ANY,
    Labels: MAP,
    StopSignal: ANY,
    ArgsEscaped: ANY
  }),
  rootfs: struct({ type: ANY, diff_ids: list(ANY) }),
  history: {
    kind: 'list',
    required: false,
    of: struct(HISTORY_FIELDS)
  }
})

export const LAYOUT_SHAPE: Shape = struct({ imageLayoutVersion: ANY })

export const DOCKER_ARCHIVE_SHAPE: Shape = list(
  struct({ Config: ANY, RepoTags: list(ANY), Layers: list(ANY) })
)

export function struct(fields: Readonly<Record<string, Shape>>): Struct {
  return { kind: 'struct', fields }
}

export function list(of: Shape): Shape {
  return { kind: 'list', of, required: true }
}
