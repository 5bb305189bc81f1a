/** The stage that only checks whether a tar can be a layer, before it becomes one. */
import { MAX_PATH_BYTES } from '../plan/names.ts'
import { TarReader } from '../tar/reader.ts'
import type { ByteStage } from './byte-stage.ts'
import { LayerEntries } from './layer-entries.ts'
import { openSink } from './sinks.ts'

/**
 * Takes what an unpack with default limits takes. Its methods throw TAR_INVALID, ENTRY_INVALID and LIMIT_EXCEEDED, as
 * reading the layer would.
 */
export function layerCheck(): ByteStage {
  const rules = {
    policy: { kind: 'exact', uidMap: [], gidMap: [] },
    maxPathBytes: MAX_PATH_BYTES
  } as const
  const sink = openSink({ kind: 'index' }, SILENT_SINK)
  return new TarReader(new LayerEntries(rules, sink, () => undefined))
}

const SILENT_SINK = { lostXattr: () => undefined, holes: () => undefined }
