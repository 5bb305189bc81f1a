/**
 * zlib's inflate, stopped at the borders of blocks, which `node:zlib` cannot do: the copy that Node exports to addons, or
 * the system's libz.so.1. This file knows the layout of `struct z_stream_s` (zlib.h) on 64-bit machines.
 */
import { arch, endianness } from 'node:os'
import { addressOf, loadLibrary, type Native } from './libc.ts'

const STREAM_BYTES = 112
const NEXT_IN = 0
const AVAIL_IN = 8
const NEXT_OUT = 24
const AVAIL_OUT = 32
const DATA_TYPE = 88

const Z_BLOCK = 5
const Z_OK = 0
const Z_STREAM_END = 1
const Z_BUF_ERROR = -5
/** 32 KiB of history, and a gzip header and trailer around the data. */
const GZIP_WINDOW_BITS = 15 + 16
const WINDOW_BYTES = 32_768

/** Flags of `data_type`: inflate has just passed a header or the end of a block; the block that is read is the last. */
const AT_BORDER = 128
const IN_LAST_BLOCK = 64
const UNUSED_BITS = 7

/** The results of inflate that are failures, in words. */
const REASONS: Readonly<Record<number, string>> = {
  2: 'a dictionary is needed',
  [-2]: 'the stream is not consistent',
  [-3]: 'invalid data',
  [-4]: 'no memory'
}

/** The data violates RFC 1952 or RFC 1951. */
export class ZlibDataError extends Error {}

export interface InflatedBlocks {
  /** Bytes written to the output. */
  length: number
  /** `border`: a block that is not the first of another member may begin here. `end`: the member has ended, and is right. */
  at: 'inside' | 'border' | 'end'
}

interface Library {
  init: Native
  inflate: Native
  reset: Native
  window: Native
  end: Native
}

/** Inflates gzip members one after the other, and says where blocks begin. Input and output must not move meanwhile. */
export class BlockInflater {
  private readonly library: Library
  private readonly stream: Buffer
  private readonly address: number
  private input: Buffer = Buffer.alloc(0)

  private constructor(library: Library) {
    this.library = library
    this.stream = Buffer.alloc(STREAM_BYTES)
    this.address = addressOf(this.stream)
    const result = library.init(this.address, GZIP_WINDOW_BITS, addressOf(VERSION), STREAM_BYTES)
    if (result !== Z_OK) throw new Error(`[internal] inflateInit2 = ${result}`)
  }

  /** Undefined if this process has no zlib that works as this file expects. */
  static create(): BlockInflater | undefined {
    library ??= load()
    return library === 'absent' ? undefined : new BlockInflater(library)
  }

  static of(library: Library): BlockInflater {
    return new BlockInflater(library)
  }

  /** Gives more input, after what was given before is used up. */
  feed(input: Buffer): void {
    this.input = input
    writePointer(this.stream, NEXT_IN, input.length === 0 ? 0 : addressOf(input))
    this.stream.writeUInt32LE(input.length, AVAIL_IN)
  }

  /** The input that has not been used yet. */
  get rest(): Buffer {
    return this.input.subarray(this.input.length - this.stream.readUInt32LE(AVAIL_IN))
  }

  /** Of the last byte that was used, so many bits were not. Only valid at a border. */
  get unusedBits(): number {
    return this.stream.readInt32LE(DATA_TYPE) & UNUSED_BITS
  }

  /**
   * Inflates into `output` from `start` until a border, or until the output is full, the input is used up or the member
   * ends. @throws ZlibDataError
   */
  inflate(output: Buffer, start: number): InflatedBlocks {
    writePointer(this.stream, NEXT_OUT, addressOf(output) + start)
    this.stream.writeUInt32LE(output.length - start, AVAIL_OUT)
    const result = this.library.inflate(this.address, Z_BLOCK)
    const length = output.length - start - this.stream.readUInt32LE(AVAIL_OUT)
    if (result === Z_STREAM_END) return { length, at: 'end' }
    if (result !== Z_OK && result !== Z_BUF_ERROR)
      throw new ZlibDataError(REASONS[result] ?? `result ${result}`)
    const flags = this.stream.readInt32LE(DATA_TYPE)
    const isBorder = (flags & AT_BORDER) !== 0 && (flags & IN_LAST_BLOCK) === 0
    return { length, at: isBorder ? 'border' : 'inside' }
  }

  /** The last bytes of the output of this member, at most 32 KiB: what the next blocks may refer to. */
  window(): Buffer {
    const window = Buffer.allocUnsafeSlow(WINDOW_BYTES)
    const length = Buffer.alloc(4)
    const result = this.library.window(this.address, addressOf(window), addressOf(length))
    if (result !== Z_OK) throw new Error(`[internal] inflateGetDictionary = ${result}`)
    return window.subarray(0, length.readUInt32LE(0))
  }

  /** Starts a new member with the rest of the input. */
  next(): void {
    this.library.reset(this.address)
  }

  /** Frees the memory of the stream. Nothing may be called any more. */
  close(): void {
    this.library.end(this.address)
  }
}

function writePointer(stream: Buffer, offset: number, address: number): void {
  stream.writeUInt32LE(address % 0x1_0000_0000, offset)
  stream.writeUInt32LE(Math.floor(address / 0x1_0000_0000), offset + 4)
}

/** zlib compares only the first digit. */
const VERSION = Buffer.from('1.2.11\0')

const WIDE: readonly string[] = ['x64', 'arm64', 'riscv64', 'ppc64', 'loong64']

let library: Library | 'absent' | undefined

function load(): Library | 'absent' {
  if (endianness() !== 'LE' || !WIDE.includes(arch())) return 'absent'
  for (const file of [null, 'libz.so.1']) {
    const functions = loadLibrary(file, {
      inflateInit2_: 'int inflateInit2_(uintptr_t, int, uintptr_t, int)',
      inflate: 'int inflate(uintptr_t, int)',
      inflateReset: 'int inflateReset(uintptr_t)',
      inflateGetDictionary: 'int inflateGetDictionary(uintptr_t, uintptr_t, uintptr_t)',
      inflateEnd: 'int inflateEnd(uintptr_t)'
    })
    if (functions === undefined) continue
    const found = {
      init: functions.inflateInit2_,
      inflate: functions.inflate,
      reset: functions.inflateReset,
      window: functions.inflateGetDictionary,
      end: functions.inflateEnd
    }
    if (isAsExpected(found)) return found
  }
  return 'absent'
}

/** The text "oci" as a gzip member of one block, followed by a byte that is not part of it. */
const PROBE = Buffer.from('1f8b08000000000000ffcb4fce040097b474c60300000078', 'hex')
/** Bits up to its block. */
const HEADER_BYTES = 10

/** Whether the border, the end, the window and the rest of the input are found where this file expects them. */
function isAsExpected(found: Library): boolean {
  const inflater = BlockInflater.of(found)
  try {
    const output = Buffer.alloc(16)
    inflater.feed(Buffer.from(PROBE))
    const first = inflater.inflate(output, 0)
    const atBlock =
      inflater.rest.length === PROBE.length - HEADER_BYTES && inflater.unusedBits === 0
    let { length, at } = inflater.inflate(output, 0)
    if (at !== 'end') ({ at } = inflater.inflate(output, length))
    length = at === 'end' ? 3 : 0
    const text = output.toString('latin1', 0, length)
    return first.at === 'border' && atBlock && text === 'oci' && inflater.rest.length === 1
  } catch (error) {
    if (error instanceof ZlibDataError) return false
    throw error
  } finally {
    inflater.close()
  }
}
