/**
 * The two functions of OpenSSL that compress whole blocks of SHA-256. Node exports them, though no header declares them:
 * `sha256_block_data_order` for one stream, and `sha256_multi_block` for several. A processor with SHA instructions spends
 * most of its time waiting for the result of the instruction before, so two streams together take as long as one. This
 * file knows the layout of their arguments (crypto/sha/asm/sha256-mb-x86_64.pl), and uses neither before it has given
 * known digests.
 */
import { readFileSync } from 'node:fs'
import { addressOf, loadExported, type Native } from './libc.ts'

/** Blocks of 64 bytes that a stream is given. */
export interface Blocks {
  /** The eight words of its state. */
  state: Uint32Array
  /** Where that state is. */
  stateAddress: number
  address: number
  count: number
}

/** Compresses blocks of one stream, or of two at the same time. */
export interface BlockFunctions {
  one(stream: Blocks): void
  /** Undefined where two at a time would take longer. */
  two: ((first: Blocks, second: Blocks) => void) | undefined
}

/** Initial state (FIPS 180-4, 5.3.3). */
export const INITIAL_STATE: Uint32Array = new Uint32Array([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
])

let found: BlockFunctions | 'absent' | undefined

/** Undefined if this Node has no such functions, or they do not work as expected. */
export function blockFunctions(): BlockFunctions | undefined {
  found ??= load() ?? 'absent'
  return found === 'absent' ? undefined : found
}

function load(): BlockFunctions | undefined {
  const single = loadExported('void sha256_block_data_order(uintptr_t, uintptr_t, size_t)')
  if (single === undefined) return undefined
  const one = oneStream(single)
  const inTurn = (first: Blocks, second: Blocks): void => [first, second].forEach(one)
  if (!isRight(inTurn)) return undefined
  const two = hasShaInstructions() ? loadTwo() : undefined
  return { one, two }
}

function oneStream(compress: Native): BlockFunctions['one'] {
  return ({ stateAddress, address, count }) => void compress(stateAddress, address, count)
}

function loadTwo(): BlockFunctions['two'] {
  const several = loadExported('void sha256_multi_block(uintptr_t, uintptr_t, int)')
  if (several === undefined) return undefined
  const two = twoStreams(several)
  return isRight(two) ? two : undefined
}

/** It takes four streams, interleaved word by word, of which the last two have no blocks here. */
function twoStreams(compress: Native): NonNullable<BlockFunctions['two']> {
  const states = new Uint32Array(8 * LANES)
  const inputs = new Uint32Array(4 * LANES)
  const stateAddress = addressOf(bytesOf(states))
  const inputAddress = addressOf(bytesOf(inputs))
  return (first, second) => {
    const [a, b] = [first.state, second.state]
    for (let word = 0; word < 8; word++) {
      states[word * LANES] = a[word]!
      states[word * LANES + 1] = b[word]!
    }
    setInput(inputs, 0, first)
    setInput(inputs, 4, second)
    compress(stateAddress, inputAddress, 1)
    for (let word = 0; word < 8; word++) {
      a[word] = states[word * LANES]!
      b[word] = states[word * LANES + 1]!
    }
  }
}

const LANES = 8

/** A pointer and a number of blocks. */
function setInput(inputs: Uint32Array, at: number, { address, count }: Blocks): void {
  inputs[at] = address % 0x1_0000_0000
  inputs[at + 1] = address / 0x1_0000_0000
  inputs[at + 2] = count
}

/**
 * Without them `sha256_multi_block` would work on four or eight streams at once, more slowly than on one after the other.
 * OPENSSL_ia32cap can make OpenSSL believe that they are missing.
 */
function hasShaInstructions(): boolean {
  if (process.env.OPENSSL_ia32cap !== undefined) return false
  try {
    return /^flags\s*:.*\bsha_ni\b/m.test(readFileSync('/proc/cpuinfo', 'latin1'))
  } catch {
    return false
  }
}

/** The examples of FIPS 180-2, B.1 and B.2, as padded blocks, with the words of their digests. */
const EXAMPLES: readonly [string, number, string][] = [
  ['abc', 1, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    2,
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'
  ]
]

/** Whether streams of different lengths get the right states. */
function isRight(compress: (first: Blocks, second: Blocks) => void): boolean {
  const padded = EXAMPLES.map(([text, count]) => pad(text, count))
  const [first, second] = padded.map((bytes) => blocksOf(bytes)) as [Blocks, Blocks]
  compress(first, second)
  return [first, second].every(({ state }, at) => hexOf(state) === EXAMPLES[at]![2])
}

function pad(text: string, count: number): Buffer {
  const bytes = Buffer.alloc(64 * count)
  bytes[bytes.write(text, 'latin1')] = 0x80
  bytes.writeUInt32BE(8 * text.length, bytes.length - 4)
  return bytes
}

function blocksOf(bytes: Buffer): Blocks {
  const state = Uint32Array.from(INITIAL_STATE)
  const stateAddress = addressOf(bytesOf(state))
  return { state, stateAddress, address: addressOf(bytes), count: bytes.length / 64 }
}

function hexOf(words: Uint32Array): string {
  return [...words].map((word) => word.toString(16).padStart(8, '0')).join('')
}

function bytesOf(words: Uint32Array): Buffer {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength)
}
