/** XXH64 with seed 0 (the xxHash specification), of which Zstandard frames have the lower half as their checksum. */

const P1 = 0x9e37_79b1_85eb_ca87n
const P2 = 0xc2b2_ae3d_27d4_eb4fn
const P3 = 0x1656_67b1_9e37_79f9n
const P4 = 0x85eb_ca77_c2b2_ae63n
const P5 = 0x27d4_eb2f_1656_67c5n

const P1_HIGH = Number(P1 >> 32n) | 0
const P1_LOW = Number(P1 & 0xffff_ffffn) | 0
const P2_HIGH = Number(P2 >> 32n) | 0
const P2_LOW = Number(P2 & 0xffff_ffffn) | 0

/** Four lanes of eight bytes. */
const STRIPE = 32
const GATHERED = 1 << 16

/**
 * Bytes are gathered and hashed in stripes with 32-bit arithmetic (BigInt would be seven times slower: 32 MB/s); only
 * what remains at the end is hashed with BigInt.
 */
export class Xxh64 {
  /** Lower and upper half of each lane. */
  private readonly lanes: Int32Array = halves([P1 + P2, P2, 0n, -P1])
  private readonly gathered = new Uint8Array(GATHERED)
  private readonly view = new DataView(this.gathered.buffer)
  private filled = 0
  private total = 0

  update(bytes: Uint8Array): void {
    this.total += bytes.length
    for (let at = 0; at < bytes.length;) {
      const taken = bytes.subarray(at, at + GATHERED - this.filled)
      this.gathered.set(taken, this.filled)
      this.filled += taken.length
      at += taken.length
      this.hashStripes()
    }
  }

  /** The lower 32 bits of the hash. */
  low(): number {
    let hash = u64((this.total < STRIPE ? P5 : mergedLanes(this.lanes)) + BigInt(this.total))
    let at = 0
    for (; at + 8 <= this.filled; at += 8) {
      hash ^= round(0n, this.view.getBigUint64(at, true))
      hash = u64(rotate(hash, 27n) * P1 + P4)
    }
    for (; at + 4 <= this.filled; at += 4) {
      hash ^= u64(BigInt(this.view.getUint32(at, true)) * P1)
      hash = u64(rotate(hash, 23n) * P2 + P3)
    }
    for (; at < this.filled; at++) {
      hash ^= u64(BigInt(this.gathered[at]!) * P5)
      hash = u64(rotate(hash, 11n) * P1)
    }
    return Number(avalanche(hash) & 0xffff_ffffn)
  }

  private hashStripes(): void {
    const end = this.filled - (this.filled % STRIPE)
    if (end === 0) return
    const { lanes, view } = this
    for (let at = 0; at < end; at += STRIPE)
      for (let lane = 0; lane < 8; lane += 2)
        roundOf(
          lanes,
          lane,
          view.getInt32(at + 4 * lane, true),
          view.getInt32(at + 4 * lane + 4, true)
        )
    this.gathered.copyWithin(0, end, this.filled)
    this.filled -= end
  }
}

/** `round`, on the halves of a lane. */
function roundOf(lanes: Int32Array, lane: number, low: number, high: number): void {
  const product = Math.imul(low, P2_LOW)
  const above = upper(low, P2_LOW) + Math.imul(high, P2_LOW) + Math.imul(low, P2_HIGH)
  const sum = (lanes[lane]! + product) | 0
  const carry = sum >>> 0 < product >>> 0 ? 1 : 0
  const sumAbove = (lanes[lane + 1]! + above + carry) | 0
  const turned = (sum << 31) | (sumAbove >>> 1)
  const turnedAbove = (sumAbove << 31) | (sum >>> 1)
  lanes[lane] = Math.imul(turned, P1_LOW)
  lanes[lane + 1] =
    upper(turned, P1_LOW) + Math.imul(turnedAbove, P1_LOW) + Math.imul(turned, P1_HIGH)
}

/** The upper half of the product of two unsigned 32-bit numbers. */
function upper(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) >>> 0
  const other = (Math.imul(aLow, bHigh) + (middle & 0xffff)) >>> 0
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (other >>> 16)) | 0
}

function mergedLanes(lanes: Int32Array): bigint {
  const [first, second, third, fourth] = [0, 2, 4, 6].map(
    (lane) => (BigInt(lanes[lane + 1]! >>> 0) << 32n) | BigInt(lanes[lane]! >>> 0)
  ) as [bigint, bigint, bigint, bigint]
  const sum = rotate(first, 1n) + rotate(second, 7n) + rotate(third, 12n) + rotate(fourth, 18n)
  return [first, second, third, fourth].reduce(
    (hash, lane) => u64((hash ^ round(0n, lane)) * P1 + P4),
    u64(sum)
  )
}

function round(lane: bigint, input: bigint): bigint {
  return u64(rotate(u64(lane + input * P2), 31n) * P1)
}

function avalanche(hash: bigint): bigint {
  const first = u64((hash ^ (hash >> 33n)) * P2)
  const second = u64((first ^ (first >> 29n)) * P3)
  return second ^ (second >> 32n)
}

function rotate(value: bigint, bits: bigint): bigint {
  return u64(value << bits) | (value >> (64n - bits))
}

function u64(value: bigint): bigint {
  return BigInt.asUintN(64, value)
}

function halves(values: readonly bigint[]): Int32Array {
  return Int32Array.from(
    values.flatMap((value) => [
      Number(BigInt.asIntN(32, value)),
      Number(BigInt.asIntN(32, value >> 32n))
    ])
  )
}
