/** Reads the finished directory of a layer back as the entries that it represents. */
import type { ByteString } from '../bytes.ts'
import { bareEntry, type StagedEntry } from '../plan/staged-entry.ts'
import type { WhiteoutForm } from '../plan/whiteout-form.ts'
import { FirstNames } from './first-names.ts'
import { hasOpaqueXattr, readMark } from './layer-marks.ts'
import { layerObjectEntry } from './object-entry.ts'
import { walk, type Walked } from './walk.ts'

/** Calls back for every object, parents first and a file before its further names; paths are literal. */
export function readLayerDirectory(
  directory: number,
  form: WhiteoutForm,
  add: (entry: StagedEntry) => void
): void {
  const reader = new LayerReader(form)
  for (const walked of walk(directory, NOTHING)) for (const entry of reader.read(walked)) add(entry)
}

const NOTHING: ReadonlySet<ByteString> = new Set()

class LayerReader {
  private readonly form: WhiteoutForm
  private readonly first = new FirstNames<ByteString>()

  constructor(form: WhiteoutForm) {
    this.form = form
  }

  read(walked: Walked): StagedEntry[] {
    const { path, status } = walked
    const entry = readMark(walked, this.form) ?? this.furtherName(walked)
    if (entry !== undefined) return [entry]
    const object = layerObjectEntry(walked, this.form)
    const isOpaque = status.type === 'directory' && hasOpaqueXattr(walked, this.form)
    return isOpaque ? [object, bareEntry('opaque', path)] : [object]
  }

  private furtherName({ path, status }: Walked): StagedEntry | undefined {
    const first = this.first.get(status)
    if (first !== undefined) return bareEntry('hardlink', path, first)
    this.first.note(status, path)
    return undefined
  }
}
