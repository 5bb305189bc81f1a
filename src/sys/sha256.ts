/**
 * Hashes of streams whose bytes lie still for a while, so that two can be hashed in the time of one (`sha256-blocks.ts`). All
 * that a stream of SHA-256 remembers is in memory that can be shared, and one thread may go on where another has stopped.
 */
import { addressOf } from './libc.ts'
import { blockFunctions, INITIAL_STATE, type BlockFunctions, type Blocks } from './sha256-blocks.ts'
import { wholeHash, type StreamHash } from './stream-hash.ts'

/** The memory of a stream: the words of its state, the bytes that do not fill a block, and its length in bytes. */
export const STREAM_BYTES = 168
const TAIL = 32
const TAIL_BYTES = 128
const LENGTH = TAIL + TAIL_BYTES
const BLOCK = 64

export interface StreamPlace {
  memory: ArrayBufferLike
  /** A multiple of eight. */
  offset: number
}

/**
 * @param place memory of a stream that has begun, perhaps in another thread; it counts only where streams can be shared
 */
export function streamHash(algorithm: 'sha256' | 'sha512', place?: StreamPlace): StreamHash {
  const functions = blockFunctions()
  if (algorithm !== 'sha256' || functions === undefined) return wholeHash(algorithm)
  return new Sha256Stream(functions, place ?? newPlace())
}

/** Whether another thread can go on with a stream of SHA-256. */
export function canShareStreams(): boolean {
  return blockFunctions() !== undefined
}

function newPlace(): StreamPlace {
  const place = { memory: new ArrayBuffer(STREAM_BYTES), offset: 0 }
  new Uint32Array(place.memory, 0, 8).set(INITIAL_STATE)
  return place
}

class Sha256Stream implements StreamHash, Blocks {
  readonly state: Uint32Array
  readonly stateAddress: number
  /** Of the blocks that are not hashed yet. */
  address = 0
  count = 0
  private readonly functions: BlockFunctions
  private readonly tail: Buffer
  private readonly tailAddress: number
  private readonly length: Float64Array
  private chunk: Buffer | undefined
  private chunkAddress = 0

  constructor(functions: BlockFunctions, { memory, offset }: StreamPlace) {
    this.functions = functions
    this.state = new Uint32Array(memory, offset, 8)
    this.tail = Buffer.from(memory, offset + TAIL, TAIL_BYTES)
    this.length = new Float64Array(memory, offset + LENGTH, 1)
    this.tailAddress = addressOf(this.tail)
    this.stateAddress = this.tailAddress - TAIL
  }

  reset(): void {
    this.state.set(INITIAL_STATE)
    this.length[0] = 0
    this.count = 0
  }

  resume(length: number, state: string): boolean {
    Buffer.from(this.state.buffer, this.state.byteOffset, TAIL).write(state, 'hex')
    this.length[0] = length
    this.count = 0
    return true
  }

  update(chunk: Buffer, start: number, end: number): void {
    if (this.count > 0) this.settle()
    let at = start
    const held = this.length[0]! % BLOCK
    this.length[0]! += end - start
    if (held > 0) {
      at = Math.min(end, start + BLOCK - held)
      chunk.copy(this.tail, held, start, at)
      if (held + at - start < BLOCK) return
      this.hashTail(1)
    }
    const rest = (end - at) % BLOCK
    if (rest > 0) chunk.copy(this.tail, 0, end - rest, end)
    this.address = this.addressOf(chunk) + at
    this.count = (end - rest - at) / BLOCK
  }

  settle(beside?: StreamHash): void {
    if (this.count === 0) return
    const { functions } = this
    const { two } = functions
    if (two !== undefined && beside instanceof Sha256Stream && beside.count > 0)
      beside.hashWith(this, two)
    else functions.one(this)
    this.count = 0
  }

  digest(encoding: 'hex' | 'binary', beside?: StreamHash): string {
    this.settle(beside)
    const length = this.length[0]!
    const held = length % BLOCK
    const blocks = held < BLOCK - 8 ? 1 : 2
    this.tail.fill(0, held, blocks * BLOCK)
    this.tail[held] = 0x80
    this.tail.writeUInt32BE(Math.floor(length / 2 ** 29), blocks * BLOCK - 8)
    this.tail.writeUInt32BE((length % 2 ** 29) * 8, blocks * BLOCK - 4)
    this.hashTail(blocks, beside)
    for (let word = 0; word < 8; word++) this.tail.writeUInt32BE(this.state[word]!, word * 4)
    return this.tail.toString(encoding, 0, 32)
  }

  private hashTail(blocks: number, beside?: StreamHash): void {
    this.address = this.tailAddress
    this.count = blocks
    this.settle(beside)
  }

  /** All blocks of the leader, and as many of this stream. */
  private hashWith(leader: Sha256Stream, two: NonNullable<BlockFunctions['two']>): void {
    const left = this.count - Math.min(this.count, leader.count)
    this.count -= left
    two(leader, this)
    this.address += this.count * BLOCK
    this.count = left
  }

  private addressOf(chunk: Buffer): number {
    if (this.chunk !== chunk) {
      this.chunk = chunk
      this.chunkAddress = addressOf(chunk)
    }
    return this.chunkAddress
  }
}
