/**
 * ISA-L's inflate (libisal.so.2), called in this process. It is twice as fast as zlib's and needs no pipe, which would
 * cost as much again as inflating. This file knows the layout of its `struct inflate_state` (igzip_lib.h).
 */
import { addressOf, loadLibrary, type AsyncNative, type Native } from './libc.ts'

const STATE_BYTES = 87_368
const NEXT_OUT = 0
const AVAIL_OUT = 8
const NEXT_IN = 16
const AVAIL_IN = 32
const BLOCK_STATE = 21_160
const CRC_FLAG = 21_172
const ISAL_GZIP = 1
const ISAL_BLOCK_FINISH = 5

/** The negative results of isal_inflate, in words. */
const reasons: Readonly<Record<number, string>> = {
  [-1]: 'invalid block',
  [-2]: 'invalid symbol',
  [-3]: 'invalid distance',
  [-4]: 'invalid header',
  [-5]: 'unknown compression method',
  [-6]: 'incorrect checksum or size'
}

export interface Inflated {
  /** Bytes written to the output. */
  length: number
  /** Whether the member has ended, with the correct checksum and size. */
  ended: boolean
}

/** The data violates RFC 1952 or RFC 1951. */
export class IsalDataError extends Error {}

interface Library {
  init: Native
  inflate: Native & AsyncNative
}

/** Inflates gzip members one after the other. Input and output must not move while a call runs. */
export class IsalInflater {
  private readonly library: Library
  private readonly state = Buffer.alloc(STATE_BYTES)
  private readonly address = addressOf(this.state)
  private input: Buffer = Buffer.alloc(0)

  private constructor(library: Library) {
    this.library = library
    this.begin()
  }

  /** Undefined if this machine has no such library, or one with a different layout of its state. */
  static create(): IsalInflater | undefined {
    library ??= load()
    return library === 'absent' ? undefined : new IsalInflater(library)
  }

  static of(library: Library): IsalInflater {
    return new IsalInflater(library)
  }

  /** Starts a new member at the next byte of input. */
  begin(): void {
    this.library.init(this.address)
    this.state.writeUInt32LE(ISAL_GZIP, CRC_FLAG)
  }

  /** Gives the next input, after the one before is used up. It must stay valid until it is used up itself. */
  feed(input: Buffer): void {
    this.input = input
    writePointer(this.state, NEXT_IN, input)
    this.state.writeUInt32LE(input.length, AVAIL_IN)
  }

  /** Input that has not been used yet. */
  get rest(): Buffer {
    const left = this.state.readUInt32LE(AVAIL_IN)
    return this.input.subarray(this.input.length - left)
  }

  /** Inflates into `output` until it is full, the input is used up or the member ends. @throws IsalDataError */
  inflate(output: Buffer): Inflated {
    this.aim(output)
    return this.outcome(output, this.library.inflate(this.address))
  }

  /** The same on a thread of libuv's pool. */
  async inflateApart(output: Buffer): Promise<Inflated> {
    this.aim(output)
    const result = await new Promise<number>((resolve, reject) => {
      this.library.inflate.async(this.address, (error, value) => {
        if (error === null) resolve(value)
        else reject(error)
      })
    })
    return this.outcome(output, result)
  }

  private aim(output: Buffer): void {
    writePointer(this.state, NEXT_OUT, output)
    this.state.writeUInt32LE(output.length, AVAIL_OUT)
  }

  private outcome(output: Buffer, result: number): Inflated {
    if (result < 0) throw new IsalDataError(reasons[result] ?? `result ${result}`)
    return {
      length: output.length - this.state.readUInt32LE(AVAIL_OUT),
      ended: this.state.readUInt32LE(BLOCK_STATE) === ISAL_BLOCK_FINISH
    }
  }
}

function writePointer(state: Buffer, offset: number, target: Buffer): void {
  state.writeBigUInt64LE(target.length === 0 ? 0n : BigInt(addressOf(target)), offset)
}

let library: Library | 'absent' | undefined

function load(): Library | 'absent' {
  const functions = loadLibrary('libisal.so.2', {
    isal_inflate_init: 'void isal_inflate_init(uintptr_t)',
    isal_inflate: 'int isal_inflate(uintptr_t)'
  })
  if (functions === undefined) return 'absent'
  const found = { init: functions.isal_inflate_init, inflate: functions.isal_inflate }
  return isAsExpected(found) ? found : 'absent'
}

/** The text "oci" as a gzip member, followed by a byte that is not part of it. */
const PROBE = Buffer.from('1f8b08000000000000ffcb4fce040097b474c60300000078', 'hex')

/** Whether the end of the member, its checksum and the rest of the input are found where this file expects them. */
function isAsExpected(found: Library): boolean {
  return inflatesTo(found, PROBE, 'oci') && !inflatesTo(found, flipped(PROBE, 17), 'oci')
}

function inflatesTo(found: Library, input: Buffer, text: string): boolean {
  const output = Buffer.alloc(16)
  try {
    const inflater = IsalInflater.of(found)
    inflater.feed(input)
    const { length, ended } = inflater.inflate(output)
    return ended && inflater.rest.length === 1 && output.toString('latin1', 0, length) === text
  } catch (error) {
    if (error instanceof IsalDataError) return false
    throw error
  }
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at)
  return copy
}
