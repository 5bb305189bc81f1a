/**
 * Uploading one blob: a session is opened, filled and closed (distribution-spec, Pushing blobs). Small blobs are sent
 * with the request that closes it. Larger ones are streamed in one PATCH of unknown length, as docker does, which every registry
 * accepts and which can be ended early; in chunks if the registry says how long these must be.
 */
import { followed } from './addresses.ts'
import { answerTo } from './client-settings.ts'
import { hasBlob } from './blobs.ts'
import { answerInvalid, failed } from './errors.ts'
import { Grace, withGrace } from './grace.ts'
import type { RegistryBlob } from './registry.ts'
import type { Answer, Ask } from './redirects.ts'
import type { Requests } from './requests.ts'
import { throwIfStopped } from './session.ts'
import { Tries, Unlucky, type Setback } from './tries.ts'
import { UploadBody, type ReadFrom } from './upload-body.ts'
import { beginAsk, patchAsk, putAsk, statusAsk } from './upload-asks.ts'
import { cancelUpload } from './upload-session.ts'

const MAX_IN_ONE_REQUEST = 8 << 20
/** If the registry wants chunks. */
const CHUNK = 32 << 20

/** After a failure or a stop, the session is closed if the registry can do that. @throws REGISTRY_*, FILE_CHANGED, ABORTED, what `read` throws */
export async function upload(
  requests: Requests,
  blob: RegistryBlob,
  read: ReadFrom
): Promise<void> {
  await new Upload(requests, blob, read).run()
}

class Upload {
  private readonly requests: Requests
  private readonly blob: RegistryBlob
  private readonly read: ReadFrom
  private readonly tries: Tries
  /** Where the session is; undefined: there is none. */
  private location: URL | undefined
  /** How much of the blob the registry has. */
  private offset = 0
  /** The most that it ever had. */
  private reached = 0
  private leastChunk: number | undefined
  private takesStreams = true
  /** Whether the registry did not react to the end of an upload after a stop. */
  private isSilent = false

  constructor(requests: Requests, blob: RegistryBlob, read: ReadFrom) {
    this.requests = requests
    this.blob = blob
    this.read = read
    this.tries = new Tries(requests.session, `upload of ${blob.digest}`)
  }

  async run(): Promise<void> {
    try {
      await this.begin()
      for (;;) {
        const setback = await this.attempt()
        if (setback === undefined) return
        await this.tries.again(setback)
        if (await this.resume()) continue
        await this.close()
        if (await hasBlob(this.requests, this.blob)) return
        await this.begin()
      }
    } catch (error) {
      await this.close()
      throw error
    }
  }

  private async begin(): Promise<void> {
    const { session } = this.requests
    const answer = await withGrace(session, (signal) =>
      this.requests.send({ ...beginAsk(this.blob), signal })
    )
    answer.discard()
    this.offset = 0
    this.moved(answer)
    if (this.location === undefined)
      throw answerInvalid(answer.place, 'it does not say where to upload to')
    throwIfStopped(session.signal)
    const least = Number(answer.headers['oci-chunk-min-length'] ?? NaN)
    this.leastChunk = Number.isSafeInteger(least) && least > 0 ? least : undefined
  }

  /** Sends what the registry does not have. Returns why that did not succeed, if it may the next time. */
  private async attempt(): Promise<Setback | undefined> {
    try {
      if (!this.fitsInOne()) await this.sendChunks()
      await this.finish()
      return undefined
    } catch (error) {
      throwIfStopped(this.requests.session.signal)
      if (error instanceof Unlucky) return error.setback
      throw error
    }
  }

  private fitsInOne(): boolean {
    if (this.leastChunk !== undefined || this.offset > 0) return false
    return this.blob.size <= MAX_IN_ONE_REQUEST || !this.takesStreams
  }

  private async sendChunks(): Promise<void> {
    while (this.offset < this.blob.size) {
      const end = this.chunkEnd()
      const isStream = this.offset === 0 && this.leastChunk === undefined
      const ask = patchAsk(this.blob, this.location!, isStream ? undefined : [this.offset, end])
      const answer = await this.send(ask, end, isStream)
      if (isStream && answer.status !== 202) this.refusesStreams(answer)
      this.offset = end
      // what is sent once more is not progress
      if (end > this.reached) this.tries.progress()
      this.reached = Math.max(end, this.reached)
    }
  }

  /** A registry, or a proxy before it, that must know the length beforehand. @throws Unlucky */
  private refusesStreams({ place, status }: Answer): never {
    this.takesStreams = false
    const reason = 'the registry does not take uploads of unknown length'
    throw new Unlucky({ error: failed(place, status, reason), reason })
  }

  private chunkEnd(): number {
    if (this.leastChunk === undefined) return this.blob.size
    return Math.min(this.offset + Math.max(this.leastChunk, CHUNK), this.blob.size)
  }

  /** Closes the session with what is left of the blob. */
  private async finish(): Promise<void> {
    const ask = putAsk(this.blob, this.location!, this.offset)
    await this.send(ask, this.blob.size, false)
    this.location = undefined
  }

  /** @throws Unlucky: the connection broke, or the registry has lost the session */
  private async send(ask: Ask, end: number, mayEndEarly: boolean): Promise<Answer> {
    const { session } = this.requests
    // with the last request, registries take care of the whole blob
    const isLast = ask.method === 'PUT'
    const part = { start: this.offset, end, mayEndEarly, blob: this.blob }
    const grace = new Grace(session, session.timing.lastAnswer)
    const body = new UploadBody(session, this.read, part, grace)
    try {
      const answer = await this.requests.send({
        ...ask,
        ...(end > this.offset && { body: () => body.pieces() }),
        signal: grace.signal,
        answerMs: answerTo(isLast ? this.blob.size : end - this.offset, session.timing),
        tries: 'once'
      })
      answer.discard()
      if (answer.status === 202) this.moved(answer)
      throwIfStopped(session.signal)
      if (answer.status !== 404 && answer.status !== 416) return answer
      const reason = 'the registry has lost the upload'
      throw new Unlucky({ error: failed(answer.place, answer.status, reason), reason })
    } finally {
      grace.release()
      this.isSilent = grace.isOver
    }
  }

  /** Whether the registry knows how far the upload got. */
  private async resume(): Promise<boolean> {
    // a session without a byte looks like one with a single byte
    try {
      const answer = await this.requests.send(statusAsk(this.blob, this.location!))
      answer.discard()
      const end = /^(?:bytes=)?0-(\d+)$/.exec(answer.headers.range ?? '')?.[1]
      if (end === undefined || Number(end) === 0 || Number(end) >= this.blob.size) return false
      this.moved(answer)
      this.offset = Number(end) + 1
      return true
    } catch {
      throwIfStopped(this.requests.session.signal)
      return false
    }
  }

  private async close(): Promise<void> {
    const { location } = this
    this.location = undefined
    if (location === undefined) return
    const { lastTry, cleanUp } = this.requests.session.timing
    await cancelUpload(this.requests, location, this.isSilent ? lastTry : cleanUp)
  }

  /** A registry may name a new address with each answer. */
  private moved({ headers, url }: Answer): void {
    this.location = followed(url, headers.location, false) ?? this.location
  }
}
