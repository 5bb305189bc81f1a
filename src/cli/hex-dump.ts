/** Bytes in hexadecimal, for people. */
const LINE_BYTES = 16
const MOST_BYTES = 256

/** The first bytes as xxd(1) shows them, and the number of the others. */
export function hexDump(data: Buffer): string[] {
  const lines: string[] = []
  for (let offset = 0; offset < Math.min(data.length, MOST_BYTES); offset += LINE_BYTES)
    lines.push(dumpLine(data.subarray(offset, offset + LINE_BYTES), offset))
  const more = data.length - MOST_BYTES
  return more > 0 ? [...lines, `....  (extra ${more} bytes omitted)`] : lines
}

function dumpLine(bytes: Buffer, offset: number): string {
  const pairs = bytes.toString('hex').match(/.{1,4}/g) ?? []
  const width = LINE_BYTES * 2 + LINE_BYTES / 2 - 1
  const printable = bytes.toString('latin1').replace(/[^ -~]/g, '.')
  return `${offset.toString(16).padStart(4, '0')}: ${pairs.join(' ').padEnd(width)}  ${printable}`
}
