/** Work that is done piece by piece while other work goes on; a failure on either side ends both. */
export class Sequence {
  private readonly controller = new AbortController()
  private last: Promise<void> = Promise.resolve()
  private failure: { error: unknown } | undefined

  /** The signal for the other work. */
  get signal(): AbortSignal {
    return this.controller.signal
  }

  add(act: () => Promise<void>): void {
    this.last = this.last.then(async () => {
      if (this.failure !== undefined) return
      try {
        await act()
      } catch (error) {
        this.fail(error)
      }
    })
  }

  /**
   * Runs the other work, and waits for all pieces.
   * @param outer ends the work from outside
   * @throws the first failure
   */
  async during(outer: AbortSignal | undefined, other: () => Promise<void>): Promise<void> {
    const abort = (): void => this.controller.abort(outer?.reason)
    outer?.addEventListener('abort', abort)
    if (outer?.aborted === true) abort()
    try {
      await other()
    } catch (error) {
      this.fail(error)
    } finally {
      outer?.removeEventListener('abort', abort)
    }
    await this.last
    if (this.failure !== undefined) throw this.failure.error
  }

  /** Pieces that have begun go on; others do not begin. */
  private fail(error: unknown): void {
    this.failure ??= { error }
    this.controller.abort(error)
  }
}
