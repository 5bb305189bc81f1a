/** The values on disk of the less common keywords of mtree(5), in the form in which a tree manifest states them. */
import { createHash } from 'node:crypto'
import { parseGroup, parsePasswd } from '../../bundle/passwd.ts'
import { fromBuffer, type ByteString } from '../../bytes.ts'
import { Cksum } from '../../mtree/cksum.ts'
import { UMOCI_KEYWORDS, type MtreeEntry } from '../../mtree/entry.ts'
import { FileHasher } from '../../rootfs/hash-file.ts'
import type { Ledger } from '../../sys/ledger.ts'
import { readFile } from '../../sys/read.ts'
import type { Status } from '../../sys/status.ts'

interface Sum {
  update: (bytes: Buffer) => unknown
  digest: () => string
}

const SUMS: ReadonlyMap<string, () => Sum> = new Map([
  ['cksum', (): Sum => new Cksum()],
  ['md5digest', () => hexHash('md5')],
  ['sha1digest', () => hexHash('sha1')],
  ['sha384digest', () => hexHash('sha384')],
  ['sha512digest', () => hexHash('sha512')],
  ['ripemd160digest', () => hexHash('ripemd160')]
])

/** An object as a tree manifest would list it, with its status on disk. */
export interface Scanned {
  entry: MtreeEntry
  status: Status
}

/** Those that are no fields of an entry. */
const RARE_KEYWORDS = [...SUMS.keys(), 'uname', 'gname', 'inode', 'device']

/** Keywords that can be compared with the disk. */
export const CHECKED_KEYWORDS: ReadonlySet<string> = new Set([
  ...UMOCI_KEYWORDS,
  'time',
  ...RARE_KEYWORDS
])

/** These say how to compare, and are not compared themselves. */
export const CONTROL_KEYWORDS: ReadonlySet<string> = new Set(['optional', 'nochange', 'ignore'])

/** The caller must call `release`. */
export class DiskValues {
  private readonly hasher: FileHasher
  private readonly selected: ReadonlySet<string>
  private readonly named: readonly string[]
  private readonly users = new Accounts('/etc/passwd', (text) =>
    Array.from(parsePasswd(text), ({ uid, name }) => [uid, name])
  )
  private readonly groups = new Accounts('/etc/group', (text) =>
    Array.from(parseGroup(text), ({ gid, name }) => [gid, name])
  )

  /**
   * @param root descriptor of the directory; the caller keeps it
   * @param keywords those to compare, and those of them that count even without a claim
   */
  constructor(
    root: number,
    keywords: { selected: Iterable<string>; named: ReadonlySet<string> },
    ledger: Ledger | undefined
  ) {
    this.hasher = new FileHasher(root, ledger)
    this.selected = new Set(keywords.selected)
    this.named = RARE_KEYWORDS.filter((keyword) => keywords.named.has(keyword))
  }

  release(): void {
    this.hasher.release()
  }

  /** The values on disk for the keywords of a claim; for keywords that are not compared, the values of the claim. */
  of(
    { entry, status }: Scanned,
    claims: ReadonlyMap<string, string> | undefined
  ): ReadonlyMap<string, string> | undefined {
    const keywords = [...new Set([...(claims?.keys() ?? []), ...this.named])]
    if (keywords.length === 0) return undefined
    const wanted = keywords.filter((it) => this.selected.has(it))
    const sums = entry.type === 'file' ? this.sums(entry.path, wanted) : NO_SUMS
    const found = keywords.flatMap((keyword): [string, string][] => {
      const claim = claims?.get(keyword)
      const value = SUMS.has(keyword) ? sums.get(keyword) : this.value(keyword, claim, status)
      return value === undefined ? [] : [[keyword, asClaimed(claim, value)]]
    })
    return new Map(found)
  }

  private value(keyword: string, claim: string | undefined, status: Status): string | undefined {
    switch (keyword) {
      case 'uname':
        return this.users.name(status.uid)
      case 'gname':
        return this.groups.name(status.gid)
      case 'inode':
        return String(status.inode)
      case 'device':
        return device(claim, status)
      default:
        return claim
    }
  }

  /** All checksums of a file from reading it once. */
  private sums(path: ByteString, keywords: readonly string[]): ReadonlyMap<string, string> {
    const sums = keywords.flatMap((keyword) => {
      const start = SUMS.get(keyword)
      return start === undefined ? [] : [{ keyword, sum: start() }]
    })
    if (sums.length === 0) return NO_SUMS
    this.hasher.read(path, (piece) => {
      for (const { sum } of sums) sum.update(piece)
    })
    return new Map(sums.map(({ keyword, sum }) => [keyword, sum.digest()]))
  }
}

const NO_SUMS: ReadonlyMap<string, string> = new Map()

/** Names of the host's accounts, read on first use. The first of several names counts. */
class Accounts {
  private readonly file: string
  private readonly parse: (text: ByteString) => [number, ByteString][]
  private names: ReadonlyMap<number, ByteString> | undefined

  constructor(file: string, parse: (text: ByteString) => [number, ByteString][]) {
    this.file = file
    this.parse = parse
  }

  /** The name of an id, or the id itself if it has none. */
  name(id: number): ByteString {
    this.names ??= new Map(this.parse(this.read()).reverse())
    return this.names.get(id) ?? String(id)
  }

  private read(): ByteString {
    try {
      return fromBuffer(readFile(this.file))
    } catch {
      return ''
    }
  }
}

/** `linux,8,1`, `native,8,1`, or a dev_t of this system; a claim in another system's form is left as it is. */
function device(claim = 'linux,', { type, devMajor, devMinor }: Status): string | undefined {
  if (type !== 'char' && type !== 'block') return undefined
  const format = /^(native|linux),/.exec(claim)?.[1]
  if (format !== undefined) return `${format},${devMajor},${devMinor}`
  if (!/^(?:0x[\da-f]+|\d+)$/i.test(claim)) return claim
  const number = deviceNumber(BigInt(devMajor), BigInt(devMinor))
  return BigInt(claim) === number ? claim : String(number)
}

/** makedev(3) of Linux. */
function deviceNumber(major: bigint, minor: bigint): bigint {
  const high = ((major >> 12n) << 44n) | ((minor >> 8n) << 20n)
  return high | ((major & 0xfffn) << 8n) | (minor & 0xffn)
}

/** Hexadecimal digits may be upper or lower case. */
function asClaimed(claim: string | undefined, value: string): string {
  return claim?.toLowerCase() === value ? claim : value
}

function hexHash(algorithm: string): Sum {
  const hash = createHash(algorithm)
  return { update: (bytes) => hash.update(bytes), digest: () => hash.digest('hex') }
}
