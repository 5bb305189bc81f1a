/** All storages, and which of them a story works with. */
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

/** Undefined where the caller has not chosen this one. */
type OpenStorage = (choice: StorageChoice, onEvent: OnEvent) => LayerStorage | undefined

/** The first that was chosen counts; without one it is the engine's own, which needs no choice. */
const STORAGES: readonly OpenStorage[] = [openHooksStorage]

/** Runs `act` with the storage that was chosen, else with the engine's own. @throws HOOKS_INVALID, HOOKS_UNSAFE */
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

/** The storage that made a bundle: the one that was chosen, or the engine's own; undefined where it was another. */
export function makerOf(
  origin: Origin | undefined,
  chosen: LayerStorage
): LayerStorage | undefined {
  return [chosen, plainStorage].find((storage) => storage.made(origin))
}
