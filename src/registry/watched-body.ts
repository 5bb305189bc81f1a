/** The body of a request, which remembers what its source threw: that is not a failure of the connection. */
export class WatchedBody {
  readonly body: Buffer | AsyncIterable<Buffer> | undefined
  failed = false
  error: unknown

  constructor(body: Buffer | AsyncIterable<Buffer> | undefined) {
    this.body = body === undefined || Buffer.isBuffer(body) ? body : this.watch(body)
  }

  private async *watch(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    try {
      yield* source
    } catch (error) {
      this.failed = true
      this.error = error
      throw error
    }
  }
}
