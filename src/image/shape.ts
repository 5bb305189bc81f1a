/**
 * The known fields of each document, in the order of Go's image-spec structs, which umoci writes. One table both for
 * reading (`fit.ts`: what does not fit is left out) and for writing.
 */
export type Shape =
  /** Kept as it is. */
  | { kind: 'any' }
  /** `absent`: what stands for it if it is not there. */
  | { kind: 'text'; pattern?: RegExp; absent?: string }
  | { kind: 'flag' }
  /** A list of strings; Docker also reads a single string as one. */
  | { kind: 'texts' }
  /** Strings by names that are data. */
  | { kind: 'map' }
  /** A set of names that are data, written as an object of empty objects. */
  | { kind: 'set' }
  | { kind: 'list'; of: Shape; required: boolean }
  /** A list with a shape for each item. */
  | { kind: 'tuple'; of: readonly Shape[] }
  /** `needs`: a value without one of these says nothing. */
  | { kind: 'struct'; fields: Readonly<Record<string, Shape>>; needs: readonly string[] }

type Struct = Extract<Shape, { kind: 'struct' }>

const ANY: Shape = { kind: 'any' }
const TEXT: Shape = { kind: 'text' }
const TEXTS: Shape = { kind: 'texts' }
const MAP: Shape = { kind: 'map' }
const SET: Shape = { kind: 'set' }
const FLAG: Shape = { kind: 'flag' }

/** RFC 4648, section 4. */
const BASE64: Shape = { kind: 'text', pattern: /^[A-Za-z0-9+/]*={0,2}$/ }

/** RFC 3339, section 5.6. */
const DATE: Shape = {
  kind: 'text',
  pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/
}

/** The general form; which ones can be verified is decided where they are used. */
const DIGEST: Shape = { kind: 'text', pattern: /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[A-Za-z0-9=_-]+$/ }

const PLATFORM_FIELDS: Readonly<Record<string, Shape>> = {
  architecture: TEXT,
  os: TEXT,
  'os.version': TEXT,
  'os.features': TEXTS,
  variant: TEXT
}

export const PLATFORM_SHAPE: Shape = struct(PLATFORM_FIELDS, ['architecture', 'os'])

const DESCRIPTOR_FIELDS: Readonly<Record<string, Shape>> = {
  mediaType: { kind: 'text', absent: '' },
  digest: ANY,
  size: ANY,
  urls: TEXTS,
  annotations: MAP,
  data: BASE64,
  platform: PLATFORM_SHAPE,
  artifactType: TEXT
}

export const DESCRIPTOR_SHAPE: Shape = struct(DESCRIPTOR_FIELDS)

/** A document is complete without what it refers to here. */
const SUBJECT_SHAPE: Shape = struct(DESCRIPTOR_FIELDS, ['digest', 'size'])

export const INDEX_SHAPE: Struct = struct({
  schemaVersion: ANY,
  mediaType: TEXT,
  artifactType: TEXT,
  manifests: list(DESCRIPTOR_SHAPE),
  subject: SUBJECT_SHAPE,
  annotations: MAP
})

export const MANIFEST_SHAPE: Shape = struct({
  schemaVersion: ANY,
  mediaType: TEXT,
  artifactType: TEXT,
  config: DESCRIPTOR_SHAPE,
  layers: list(DESCRIPTOR_SHAPE),
  subject: SUBJECT_SHAPE,
  annotations: MAP
})

export const HISTORY_FIELDS: Readonly<Record<string, Shape>> = {
  created: DATE,
  created_by: TEXT,
  author: TEXT,
  comment: TEXT,
  empty_layer: FLAG
}

export const CONFIG_SHAPE: Shape = struct({
  created: DATE,
  author: TEXT,
  ...PLATFORM_FIELDS,
  config: struct({
    User: TEXT,
    ExposedPorts: SET,
    Env: TEXTS,
    Entrypoint: TEXTS,
    Cmd: TEXTS,
    Volumes: SET,
    WorkingDir: TEXT,
    Labels: MAP,
    StopSignal: TEXT,
    ArgsEscaped: FLAG
  }),
  rootfs: struct({ type: ANY, diff_ids: list(DIGEST) }),
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

export function struct(
  fields: Readonly<Record<string, Shape>>,
  needs: readonly string[] = []
): Struct {
  return { kind: 'struct', fields, needs }
}

export function list(of: Shape): Shape {
  return { kind: 'list', of, required: true }
}
