/** Judges all answers, from every kind of hook. */
import { display, fromText } from '../bytes.ts'
import type { Digest } from '../image/digest.ts'
import type { Json } from '../image/json.ts'
import type { AnswerOf, ContextOf, ExtractMode, PreparedLayer } from './calls.ts'
import type { ChangedPaths } from '../plan/changed-paths.ts'
import { ChangedPathsBuilder } from './changed-paths.ts'
import { answerInvalid } from './failures.ts'
import { hookName, type HookPoint } from './points.ts'

/** The fields of an answer as a hook gave them. */
export type AnswerFields = Readonly<Record<string, unknown>>

interface Call<P extends HookPoint> {
  readonly extract: ExtractMode
  readonly context: ContextOf<P>
}

/** Fields as the typed answer of a point. @throws HOOK_ANSWER_INVALID */
export function readAnswer<P extends HookPoint>(
  point: P,
  call: Call<P>,
  fields: AnswerFields
): AnswerOf<P> {
  const unknown = Object.keys(fields).find((field) => FIELD[point] !== field)
  if (unknown !== undefined) throw unknownField(point, unknown)
  return READERS[point](fields, call)
}

/** A hook that says where layers go may not decline the points that the engine depends on. */
export function mayDecline(point: HookPoint, extract: ExtractMode): boolean {
  return extract === 'rootfs' || !['merge', 'pre-extract', 'post-extract', 'finish'].includes(point)
}

/** The one field that an answer may have. */
const FIELD: Readonly<Record<HookPoint, string | undefined>> = {
  prepare: 'layers',
  'try-skip': 'target',
  merge: 'target',
  'pre-extract': 'target',
  'post-extract': 'target',
  finish: undefined,
  abort: undefined,
  'runtime-config': 'config',
  'delta-list': 'paths',
  'refresh-bundle': undefined,
  upgraded: undefined,
  selected: undefined,
  mount: undefined,
  umount: undefined,
  delete: undefined,
  gc: 'removed',
  check: 'storage'
}

const nothing = () => ({})

const READERS: {
  readonly [P in HookPoint]: (fields: AnswerFields, call: Call<P>) => AnswerOf<P>
} = {
  prepare: ({ layers }, { extract, context }) => {
    const known = new Set<string>(context.layers.map(({ chainId }) => chainId))
    return { layers: readLayers(layers ?? {}, known, extract) }
  },
  'try-skip': (fields, { extract }) => readTarget(fields, extract, true),
  merge: (fields, { extract }) => readTarget(fields, extract, true),
  'pre-extract': (fields, { extract }) => readTarget(fields, extract, true),
  'post-extract': (fields, { extract }) => readTarget(fields, extract, false),
  finish: nothing,
  abort: nothing,
  'runtime-config': ({ config }) => {
    if (config === undefined) return {}
    if (!isRecord(config)) throw answerInvalid('"config" is not an object')
    return { config: config as Readonly<Record<string, Json>> }
  },
  'delta-list': ({ paths }) => ({ paths: readPaths(paths) }),
  'refresh-bundle': nothing,
  upgraded: nothing,
  selected: nothing,
  mount: nothing,
  umount: nothing,
  delete: nothing,
  gc: ({ removed }) => (removed === undefined ? {} : { removed: readKeys(removed) }),
  check: ({ storage }) => (storage === undefined ? {} : { storage: readLine(storage) })
}

function readLayers(
  layers: unknown,
  known: ReadonlySet<string>,
  extract: ExtractMode
): ReadonlyMap<Digest, PreparedLayer> {
  if (!isRecord(layers)) throw answerInvalid('"layers" is not an object')
  return new Map(
    Object.entries(layers).map(([chainId, answer]) => {
      if (known.has(chainId)) return [chainId as Digest, readLayer(answer, extract)]
      throw answerInvalid('"layers" has a key that is not a chain ID of this image', {
        found: display(fromText(chainId))
      })
    })
  )
}

function readLayer(answer: unknown, extract: ExtractMode): PreparedLayer {
  if (answer === 'decline') return { status: 'decline' }
  const fields = answer === 'skip' ? {} : answer
  if (!isRecord(fields) || Object.keys(fields).some((field) => field !== 'target'))
    throw answerInvalid('a layer in "layers" is not "skip", "decline" or {"target": "/…"}')
  return { status: 'skip', ...readTarget(fields, extract, true) }
}

/** With `rootfs`, hooks do not decide where a layer goes. */
function readTarget(
  { target }: AnswerFields,
  extract: ExtractMode,
  required: boolean
): { target?: string } {
  if (target !== undefined && extract === 'rootfs')
    throw answerInvalid('a target is not allowed with extract = "rootfs"')
  if (target !== undefined) return { target: readPath(target) }
  if (!required || extract === 'rootfs') return {}
  throw answerInvalid('it does not name a target', {
    hint: 'Print the absolute path of the layer, or {"target": "/…"}.'
  })
}

/** Target lists are separated by newlines, and no path of the kernel contains a NUL. */
function readPath(target: unknown): string {
  if (typeof target === 'string' && /^\/[^\n\0]*$/.test(target)) return target
  throw answerInvalid('the target is not an absolute path, or contains a newline or NUL', {
    found: typeof target === 'string' ? display(fromText(target.slice(0, 200))) : typeof target
  })
}

function readPaths(paths: unknown): ChangedPaths {
  if (paths instanceof ChangedPathsBuilder) return paths
  if (!Array.isArray(paths)) throw answerInvalid('"paths" is not a list')
  const changed = new ChangedPathsBuilder()
  for (const path of paths as unknown[]) {
    if (typeof path !== 'string')
      throw answerInvalid('"paths" contains something that is not a string')
    changed.addText(path)
  }
  return changed
}

function readKeys(keys: unknown): readonly string[] {
  const isKey = (key: unknown): key is string =>
    typeof key === 'string' && /^[a-z0-9]+:[0-9a-f]+$/.test(key)
  if (Array.isArray(keys) && keys.every(isKey)) return keys
  throw answerInvalid('"removed" is not a list of keys, such as "sha256:…"')
}

function readLine(text: unknown): string {
  if (typeof text === 'string' && /^[^\u0000-\u001f\u007f]{1,200}$/.test(text)) return text
  throw answerInvalid('"storage" is not a line of text of at most 200 characters')
}

function isRecord(value: unknown): value is AnswerFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unknownField(point: HookPoint, field: string): Error {
  const known = FIELD[point]
  return answerInvalid(`${hookName(point)} has no field "${display(fromText(field))}"`, {
    expected: known === undefined ? 'an empty answer' : `"${known}" or nothing`,
    hint: 'Print only the answer on standard output, and messages on standard error.'
  })
}
