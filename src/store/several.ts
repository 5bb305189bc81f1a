/** Several blobs on their way at once. */

/**
 * To be called often by what may have to end early, which it does by throwing. Given something to wait for, it may wait for
 * that, but not after the moment when it throws.
 */
export type Breathe = (awaited?: Promise<void>) => Promise<void>

/**
 * Does something with each item. After a failure nothing more is begun, and what is under way is waited for: it should
 * call `breathe` often, which then throws the same. @throws the first failure
 * @param onFailure called at the first failure, to end what does not breathe
 */
export async function forSeveral<Item>(
  items: readonly Item[],
  atOnce: number,
  pause: () => Promise<void>,
  act: (item: Item, breathe: Breathe) => Promise<void>,
  onFailure: () => void = () => undefined
): Promise<void> {
  const queue = items.values()
  let failure: { error: unknown } | undefined
  const waiting = new Set<() => void>()
  const fail = (error: unknown): void => {
    if (failure !== undefined) return
    failure = { error }
    for (const wake of waiting) wake()
    onFailure()
  }
  const throwFailure = (): void => {
    if (failure !== undefined) throw failure.error
  }
  const breathe: Breathe = async (awaited) => {
    throwFailure()
    await pause()
    if (awaited !== undefined) await firstOf(awaited, waiting)
    throwFailure()
  }
  const work = async (): Promise<void> => {
    for (const item of queue) {
      if (failure !== undefined) return
      try {
        await breathe()
        await act(item, breathe)
      } catch (error) {
        fail(error)
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  throwFailure()
}

/** @param wakers gets what ends the wait, for as long as it lasts */
async function firstOf(awaited: Promise<void>, wakers: Set<() => void>): Promise<void> {
  let wake = (): void => undefined
  const woken = new Promise<void>((resolve) => (wake = resolve))
  wakers.add(wake)
  await Promise.race([awaited, woken])
  wakers.delete(wake)
}
