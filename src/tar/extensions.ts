/** The extended headers that apply to the next member. */
import type { ByteString } from '../bytes.ts'
import { gnuType, type Dialect } from './dialect.ts'
import { limitExceeded, tarInvalid } from './faults.ts'
import { readString } from './header.ts'
import type { TarLimits } from './limits.ts'
import { decodeRecords, XATTR_PREFIX, type PaxRecords } from './pax.ts'
import { collectRecords } from './sparse-pax.ts'

/** Members that only describe the member that follows (or, for the global one, all that follow; or the archive). */
export type ExtensionType = 'pax' | 'global' | 'longName' | 'longLink' | 'label'

/** The extension a type flag stands for, if it stands for one. */
export function extensionType(flag: number, dialect: Dialect): ExtensionType | undefined {
  switch (flag) {
    case 0x78: // x
      return 'pax'
    case 0x67: // g
      return 'global'
    case 0x4c: // L
      return 'longName'
    case 0x4b: // K
      return 'longLink'
    default:
      return dialect === 'archive' && gnuType(flag) === 'label' ? 'label' : undefined
  }
}

/**
 * What the extended headers so far say. If one member has several of a type, the last one counts, as in Go's
 * archive/tar. Global records stay until others with the same key replace them.
 */
export class Extensions {
  longName: ByteString = ''
  longLink: ByteString = ''
  private readonly limits: TarLimits
  private readonly globals = new Map<ByteString, ByteString>()
  private globalBytes = 0
  private local: Map<ByteString, ByteString> | undefined

  constructor(limits: TarLimits) {
    this.limits = limits
  }

  /** The records that apply to the next member; undefined if there are none. */
  get records(): PaxRecords | undefined {
    if (this.globals.size === 0) return this.local
    return new Map([...this.globals, ...(this.local ?? [])])
  }

  /** Refuses an extension that is too large before any of it is kept. */
  admit(type: ExtensionType, size: number, offset: number): void {
    const pax = type === 'pax' || type === 'global'
    if (pax) checkLimit(size, this.limits.paxBytes, offset, RAISE_PAX)
    else checkLimit(size, this.limits.longNameBytes, offset)
  }

  /** Takes the content of an extension whose header is at `offset` in the archive. */
  take(type: ExtensionType, bytes: Buffer, start: number, end: number, offset: number): void {
    switch (type) {
      case 'pax':
        this.local = paxRecords(bytes, start, end, offset)
        return
      case 'global':
        this.addGlobals(paxRecords(bytes, start, end, offset), offset)
        return
      case 'longName':
        this.longName = readString(bytes, start, end)
        return
      case 'longLink':
        this.longLink = readString(bytes, start, end)
        return
      case 'label':
        return
    }
  }

  /** Forgets everything but the global records, because the member that they describe has come. */
  clear(): void {
    this.longName = ''
    this.longLink = ''
    this.local = undefined
  }

  /** Keeps neither sparse records, which describe only one file, nor comments, which describe nothing. */
  private addGlobals(records: PaxRecords, offset: number): void {
    for (const [key, value] of records) {
      if (!GLOBAL_KEYS.has(key) && !key.startsWith(XATTR_PREFIX)) continue
      const old = this.globals.get(key)
      this.globalBytes += old === undefined ? key.length : -old.length
      this.globalBytes += value.length
      this.globals.set(key, value)
    }
    checkLimit(this.globalBytes, this.limits.globalBytes, offset)
  }
}

const GLOBAL_KEYS = new Set(['path', 'linkpath', 'size', 'uid', 'gid', 'mtime', 'atime'])

const RAISE_PAX = 'Raise {limits.paxBytes} if you trust the image.'

function checkLimit(size: number, limit: number, offset: number, hint?: string): void {
  if (size <= limit) return
  throw limitExceeded(offset, 'An extended header', `at most ${limit} bytes`, size, hint)
}

function paxRecords(
  bytes: Buffer,
  start: number,
  end: number,
  offset: number
): Map<ByteString, ByteString> {
  const records = decodeRecords(bytes, start, end)
  const byKey = records === undefined ? undefined : collectRecords(records)
  if (byKey === undefined) throw tarInvalid(offset, 'A PAX extended header is malformed.')
  return byKey
}
