/** All storages, and which of them a story uses. */
import { OciUnpackError } from '../../errors.ts'
import type { Origin } from '../bundle/origin.ts'
import type { OnEvent } from '../operation/events.ts'
import type { HooksOption } from '../operation/open-hooks.ts'
import { openHooksStorage } from './hooks-storage.ts'
import type { LayerStorage } from './layer-storage.ts'
import { plainStorage } from './plain-storage.ts'

/** What a caller may say about where layers live. */
export interface StorageChoice {
  hooks?: HooksOption | undefined
}

/** Undefined if the caller did not choose this one. */
type OpenStorage = (choice: StorageChoice, onEvent: OnEvent) => LayerStorage | undefined

/** The first one chosen counts. If none is, the engine's own is used. */
const STORAGES: readonly OpenStorage[] = [openHooksStorage]

/** Runs `act` with the chosen storage, or else with the engine's own. @throws HOOKS_INVALID, HOOKS_UNSAFE */
export async function withStorage<T>(
  choice: StorageChoice,
  onEvent: OnEvent,
  act: (storage: LayerStorage) => Promise<T>
): Promise<T> {
  const storage = open(choice, onEvent)
  try {
    return await act(storage)
  } finally {
    await storage.close()
  }
}

function open(choice: StorageChoice, onEvent: OnEvent): LayerStorage {
  for (const openStorage of STORAGES) {
    const storage = openStorage(choice, onEvent)
    if (storage !== undefined) return storage
  }
  return plainStorage
}

/** The storage that made a bundle: the chosen one or the engine's own; undefined if it was another. */
export function makerOf(
  origin: Origin | undefined,
  chosen: LayerStorage
): LayerStorage | undefined {
  return [chosen, plainStorage].find((storage) => storage.made(origin))
}

/** The storage that made the bundle at `path`. @throws USAGE if it was another */
export function requireMaker(
  origin: Origin | undefined,
  chosen: LayerStorage,
  path: string
): LayerStorage {
  const maker = makerOf(origin, chosen)
  if (maker !== undefined) return maker
  throw new OciUnpackError('USAGE', 'The bundle was made by other hooks.', {
    facts: { path, expected: `the hooks "${origin!.hooks}"`, found: chosen.title },
    hint: 'Name the hooks.toml of those hooks with {hooks}.'
  })
}
