/**
 * ISA-L's inflate (libisal.so.2), called in this process. It is twice as fast as zlib's and needs no pipe, which would
 * cost as much again as inflating. This file knows the layout of its `struct inflate_state` (igzip_lib.h).
 */
import { createHash, type Hash } from 'node:crypto'
import { addressOf, callInPool, loadLibrary, type Native } from './libc.ts'

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
  inflate: Native
}

/** All that inflating needs to remember. If it is shared, any thread may go on with it, one at a time. */
export interface InflaterMemory {
  /** INFLATER_BYTES of zeros at the beginning. */
  state: Buffer
  /** Where input is put before it is fed. */
  input: Buffer
}

export const INFLATER_BYTES: number = STATE_BYTES

/** Inflates gzip members one after the other. Output must not move while a call runs. */
export class IsalInflater {
  private readonly library: Library
  private readonly state: Buffer
  private readonly address: number
  private readonly inputAddress: number
  private output: Buffer | undefined
  private outputAddress = 0

  private constructor(library: Library, { state, input }: InflaterMemory) {
    this.library = library
    this.state = state
    this.address = addressOf(state)
    this.inputAddress = addressOf(input)
  }

  /** Whether this machine has such a library, with the expected layout of its state. */
  static isThere(): boolean {
    library ??= load()
    return library !== 'absent'
  }

  /** Undefined if it is not there. */
  static create(memory: InflaterMemory): IsalInflater | undefined {
    library ??= load()
    return library === 'absent' ? undefined : new IsalInflater(library, memory)
  }

  static of(library: Library, memory: InflaterMemory): IsalInflater {
    return new IsalInflater(library, memory)
  }

  /** Starts a new member with the input from `start` to `end`. */
  begin(start: number, end: number): void {
    this.library.init(this.address)
    this.state.writeUInt32LE(ISAL_GZIP, CRC_FLAG)
    this.feed(start, end)
  }

  /** Gives the input from `start` to `end`, after what was given before is used up. */
  feed(start: number, end: number): void {
    writePointer(this.state, NEXT_IN, this.inputAddress + start)
    this.state.writeUInt32LE(end - start, AVAIL_IN)
  }

  /** How many bytes of the input have not been used yet. */
  get left(): number {
    return this.state.readUInt32LE(AVAIL_IN)
  }

  /** Where they begin; meaningless if there are none. */
  get position(): number {
    return Number(this.state.readBigUInt64LE(NEXT_IN)) - this.inputAddress
  }

  /**
   * Inflates into `output` from `start` until it is full, the input is used up or the member ends.
   * @throws IsalDataError
   */
  inflate(output: Buffer, start: number): Inflated {
    writePointer(this.state, NEXT_OUT, this.addressOf(output) + start)
    this.state.writeUInt32LE(output.length - start, AVAIL_OUT)
    const result = this.library.inflate(this.address)
    clearVectorRegisters()
    if (result < 0) throw new IsalDataError(reasons[result] ?? `result ${result}`)
    return {
      length: output.length - start - this.state.readUInt32LE(AVAIL_OUT),
      ended: this.state.readUInt32LE(BLOCK_STATE) === ISAL_BLOCK_FINISH
    }
  }

  private addressOf(output: Buffer): number {
    if (this.output !== output) {
      this.output = output
      this.outputAddress = addressOf(output)
    }
    return this.outputAddress
  }
}

/**
 * ISA-L leaves the upper halves of the vector registers dirty, and as long as they are, every SSE instruction of the
 * thread waits for the one before that wrote the same register: hashing took twice as long. Code for AVX2 clears them
 * before it returns, and OpenSSL has such code for SHA-512.
 */
function clearVectorRegisters(): void {
  sha512 ??= createHash('sha512')
  sha512.update(ONE_BLOCK)
}

let sha512: Hash | undefined
const ONE_BLOCK = Buffer.alloc(128)

function writePointer(state: Buffer, offset: number, address: number): void {
  state.writeUInt32LE(address % 0x1_0000_0000, offset)
  state.writeUInt32LE(Math.floor(address / 0x1_0000_0000), offset + 4)
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
    const inflater = IsalInflater.of(found, { state: Buffer.alloc(STATE_BYTES), input })
    inflater.begin(0, input.length)
    const { length, ended } = inflater.inflate(output, 0)
    return ended && inflater.left === 1 && output.toString('latin1', 0, length) === text
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

/** Raw deflate data that begins with a block, and what comes before it. */
export interface RawDeflate {
  input: Buffer
  /** At most 32 KiB. */
  dictionary: Buffer
  output: Buffer
}

interface RawLibrary extends Library {
  setDictionary: Native
}

/**
 * Inflates in a thread of libuv's pool until the output is full. Returns whether that succeeded: not if the data is damaged or
 * ends before. Undefined if this machine has no such library. None of the buffers may be changed meanwhile.
 */
export async function isalInflateRaw(data: RawDeflate): Promise<boolean | undefined> {
  rawLibrary ??= loadRaw()
  if (rawLibrary === 'absent') return undefined
  const { inflate } = rawLibrary
  const state = rawState(rawLibrary, data)
  const result = await callInPool(inflate, addressOf(state))
  return isFilled(state, result, data)
}

/** `data` is kept as long as this is needed, because its memory is. */
function isFilled(state: Buffer, result: number, { output }: RawDeflate): boolean {
  return output.length > 0 && result >= 0 && state.readUInt32LE(AVAIL_OUT) === 0
}

function rawState({ init, setDictionary }: RawLibrary, data: RawDeflate): Buffer {
  const { input, dictionary, output } = data
  const state = Buffer.alloc(STATE_BYTES)
  const address = addressOf(state)
  init(address)
  setDictionary(address, addressOf(dictionary), dictionary.length)
  writePointer(state, NEXT_IN, addressOf(input))
  state.writeUInt32LE(input.length, AVAIL_IN)
  writePointer(state, NEXT_OUT, addressOf(output))
  state.writeUInt32LE(output.length, AVAIL_OUT)
  return state
}

let rawLibrary: RawLibrary | 'absent' | undefined

function loadRaw(): RawLibrary | 'absent' {
  library ??= load()
  const more = loadLibrary('libisal.so.2', {
    set: 'int isal_inflate_set_dict(uintptr_t, uintptr_t, uint32)'
  })
  if (library === 'absent' || more === undefined) return 'absent'
  const found = { ...library, setDictionary: more.set }
  const data = { input: RAW_PROBE, dictionary: Buffer.from('unpack'), output: Buffer.alloc(6) }
  const state = rawState(found, data)
  const isRight = isFilled(state, found.inflate(addressOf(state)), data)
  clearVectorRegisters()
  return isRight && data.output.toString('latin1') === 'unpack' ? found : 'absent'
}

/** One match of 6 bytes, 6 bytes back. */
const RAW_PROBE = Buffer.from('2b059300', 'hex')
