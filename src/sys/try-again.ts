/** A second try for what must not be left undone. */

/** Runs `act`, and once more if it fails: a single failed call may not fail again. @throws what the second try throws */
export function orTryAgain(act: () => void): void {
  try {
    act()
  } catch {
    act()
  }
}
