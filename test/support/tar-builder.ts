/**
 * Layers from literals, good and bad. Shares nothing with src/tar, so that a test of the reader is not a test of the
 * writer, and checks nothing, so that it can lie. Names and values are byte strings (latin1).
 */

export interface Entry {
  name: string
  /** The type flag: `0` file, `1` hardlink, `2` symlink, `3` char, `4` block, `5` directory, `6` FIFO, … */
  flag: string
  link?: string
  body?: Buffer
  /** What the header says, where that is not the length of the body. */
  size?: number
  mode?: number
  uid?: number
  gid?: number
  /** Whole seconds; finer times by `pax: { mtime: '1.5' }`. */
  mtime?: number
  major?: number
  minor?: number
  /** Records of an extended header before the entry. */
  pax?: Record<string, string>
}

type More = Omit<Partial<Entry>, 'name' | 'flag'>

export const file = (name: string, body: string | Buffer = '', more: More = {}): Entry => ({
  name,
  flag: '0',
  body: Buffer.from(body as string, 'latin1'),
  ...more
})
export const directory = (name: string, more: More = {}): Entry => ({
  name,
  flag: '5',
  mode: 0o755,
  ...more
})
export const symlink = (name: string, link: string, more: More = {}): Entry => ({
  name,
  flag: '2',
  link,
  mode: 0o777,
  ...more
})
export const hardlink = (name: string, link: string, more: More = {}): Entry => ({
  name,
  flag: '1',
  link,
  ...more
})
export const fifo = (name: string, more: More = {}): Entry => ({ name, flag: '6', ...more })
export const char = (name: string, major: number, minor: number, more: More = {}): Entry => ({
  name,
  flag: '3',
  major,
  minor,
  ...more
})

const BLOCK = 512
const END = Buffer.alloc(2 * BLOCK)

/** The archive with its two end blocks. */
export function tar(...entries: Entry[]): Buffer {
  return Buffer.concat([...entries.map(encodeEntry), END])
}

/** The entry without end blocks: an extended header where it needs one, the header and the padded body. */
export function encodeEntry(entry: Entry): Buffer {
  const pax = { ...longNames(entry), ...entry.pax }
  const body = entry.body ?? Buffer.alloc(0)
  return Buffer.concat([
    ...(Object.keys(pax).length === 0 ? [] : [paxHeader('x', pax)]),
    header(entry, body.length),
    padded(body)
  ])
}

/** An extended header: `x` for the next entry, `g` for all that follow. */
export function paxHeader(flag: 'x' | 'g', records: Record<string, string>): Buffer {
  const body = Buffer.from(Object.entries(records).map(paxRecord).join(''), 'latin1')
  return Buffer.concat([header({ name: 'pax', flag }, body.length), padded(body)])
}

/** `LENGTH key=value\n`, where the length counts its own digits. */
function paxRecord([key, value]: [string, string]): string {
  const rest = ` ${key}=${value}\n`
  let length = rest.length
  while (String(length).length + rest.length !== length)
    length = String(length).length + rest.length
  return `${String(length)}${rest}`
}

function longNames({ name, link = '' }: Entry): Record<string, string> {
  return {
    ...(name.length > 100 ? { path: name } : {}),
    ...(link.length > 100 ? { linkpath: link } : {})
  }
}

function header(entry: Entry, bodySize: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  block.write(entry.name.slice(0, 100), 0, 'latin1')
  number(block, 100, 8, entry.mode ?? 0o644)
  number(block, 108, 8, entry.uid ?? 0)
  number(block, 116, 8, entry.gid ?? 0)
  number(block, 124, 12, entry.size ?? bodySize)
  number(block, 136, 12, entry.mtime ?? 0)
  block.write(entry.flag, 156, 'latin1')
  block.write((entry.link ?? '').slice(0, 100), 157, 'latin1')
  block.write('ustar\u000000', 257, 'latin1')
  number(block, 329, 8, entry.major ?? 0)
  number(block, 337, 8, entry.minor ?? 0)
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** Octal where it fits, else base-256 (two's complement), as GNU tar and Go write it. */
function number(block: Buffer, offset: number, width: number, value: number): void {
  const octal = value.toString(8)
  if (value >= 0 && octal.length < width) {
    block.write(octal.padStart(width - 1, '0'), offset, 'latin1')
    return
  }
  let rest = BigInt.asUintN(8 * width, BigInt(value))
  for (let at = offset + width - 1; at >= offset; at--, rest >>= 8n)
    block[at] = Number(rest & 0xffn)
  block[offset]! |= 0x80
}

function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc(-body.length & (BLOCK - 1))])
}
