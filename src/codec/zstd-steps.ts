/** The header fields of a Zstandard stream, one step after the other. */

/** RFC 8878, 3.1.1: in the order of its bytes in a file. */
export const FRAME_MAGIC: Buffer = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

const MAX_BLOCK_BYTES = 1 << 17

/**
 * One field of a Zstandard stream. `between` and `skip` are outside frames. `header` fields are short, and `then` gets
 * their bytes. The bytes of a `body` are not examined. If `then` returns a string, it says what is wrong.
 */
export interface Step {
  readonly kind: 'between' | 'skip' | 'header' | 'body'
  readonly bytes: number
  then(field: Buffer, limit: WindowLimit): Step | string
}

/** How large a window a decoder can have, and a phrase that says what could read larger ones, if anything. */
export interface WindowLimit {
  readonly bytes: number
  readonly unless: string
}

/** The place where a frame, a skippable frame or the end of the stream may come. */
export const START: Step = { kind: 'between', bytes: 4, then: afterMagic }

function afterMagic(magic: Buffer): Step | string {
  if (magic.equals(FRAME_MAGIC)) return { kind: 'header', bytes: 1, then: afterDescriptor }
  if (magic.readUInt32LE() >>> 4 !== 0x184d2a5) return 'neither a frame nor a skippable frame'
  return { kind: 'between', bytes: 4, then: (size) => skip(size.readUInt32LE()) }
}

function skip(bytes: number): Step {
  return { kind: 'skip', bytes, then: () => START }
}

/** RFC 8878, 3.1.1.1.1. */
function afterDescriptor(field: Buffer): Step | string {
  const descriptor = field.readUInt8()
  if ((descriptor & 8) !== 0) return 'a reserved bit is set in a frame header'
  const layout = {
    single: (descriptor & 0x20) !== 0,
    dictionaryBytes: [0, 1, 2, 4][descriptor & 3] ?? 0,
    sizeBytes: [(descriptor >>> 5) & 1, 2, 4, 8][descriptor >>> 6] ?? 0
  }
  return {
    kind: 'header',
    bytes: (layout.single ? 0 : 1) + layout.dictionaryBytes + layout.sizeBytes,
    then: (header, limit) => afterHeader(header, layout, (descriptor & 4) !== 0, limit)
  }
}

interface Layout {
  readonly single: boolean
  readonly dictionaryBytes: number
  readonly sizeBytes: number
}

function afterHeader(
  header: Buffer,
  layout: Layout,
  hasChecksum: boolean,
  limit: WindowLimit
): Step | string {
  const dictionaryAt = layout.single ? 0 : 1
  const sizeAt = dictionaryAt + layout.dictionaryBytes
  if (header.subarray(dictionaryAt, sizeAt).some((byte) => byte !== 0))
    return 'it needs a dictionary'
  const window = layout.single
    ? contentSize(header.subarray(sizeAt))
    : windowSize(header.readUInt8())
  if (window > limit.bytes)
    return `a frame needs a window of ${window} bytes, but the limit is ${limit.bytes}${limit.unless}`
  return blockHeader(Math.min(window, MAX_BLOCK_BYTES), hasChecksum)
}

/** RFC 8878, 3.1.1.1.2. */
function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3))
  return base + (base / 8) * (descriptor & 7)
}

/** RFC 8878, 3.1.1.1.4. */
function contentSize(field: Buffer): number {
  if (field.length === 8) return Number(field.readBigUInt64LE())
  return field.readUIntLE(0, field.length) + (field.length === 2 ? 256 : 0)
}

/** RFC 8878, 3.1.1.2. The size of an RLE block is that of its output, but only one byte is stored. */
function blockHeader(maxBytes: number, hasChecksum: boolean): Step {
  const step: Step = { kind: 'header', bytes: 3, then: (field) => body(field.readUIntLE(0, 3)) }
  const after = (last: boolean): Step => (!last ? step : hasChecksum ? checksum : START)
  const body = (header: number): Step | string => {
    const type = (header >>> 1) & 3
    const size = header >>> 3
    if (type === 3) return 'a block has the reserved type'
    if (size > maxBytes) return 'a block is larger than its frame allows'
    return { kind: 'body', bytes: type === 1 ? 1 : size, then: () => after((header & 1) === 1) }
  }
  return step
}

const checksum: Step = { kind: 'header', bytes: 4, then: () => START }
