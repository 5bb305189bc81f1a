/** The data of options, decoded. A decoder returns undefined for what is not complete, too long, or has something left over. */
import { MAX_STRING } from './wire.ts'

/** The data of INFO and GO. */
export interface InfoQuery {
  name: string
  /** Types of information that are asked for. */
  wanted: readonly number[]
}

export function decodeInfoQuery(data: Buffer): InfoQuery | undefined {
  const fields = new Fields(data)
  const name = fields.string(fields.uint32())
  const wanted = fields.list(fields.uint16(), () => fields.uint16())
  return fields.areComplete() ? { name, wanted } : undefined
}

/** The data of LIST_META_CONTEXT and SET_META_CONTEXT. */
export interface ContextQuery {
  /** Of the export. */
  name: string
  queries: readonly string[]
}

export function decodeContextQuery(data: Buffer): ContextQuery | undefined {
  const fields = new Fields(data)
  const name = fields.string(fields.uint32())
  const queries = fields.list(fields.uint32(), () => fields.string(fields.uint32()))
  return fields.areComplete() ? { name, queries } : undefined
}

class Fields {
  private readonly data: Buffer
  private at = 0
  private isBroken = false

  constructor(data: Buffer) {
    this.data = data
  }

  uint16(): number {
    return this.next(2)?.readUInt16BE() ?? 0
  }

  uint32(): number {
    return this.next(4)?.readUInt32BE() ?? 0
  }

  string(length: number): string {
    if (length > MAX_STRING) this.isBroken = true
    return this.next(length)?.toString() ?? ''
  }

  /** A count that is too large ends with the data. */
  list<T>(count: number, read: () => T): T[] {
    const items: T[] = []
    while (items.length < count && !this.isBroken) items.push(read())
    return items
  }

  areComplete(): boolean {
    return !this.isBroken && this.at === this.data.length
  }

  private next(length: number): Buffer | undefined {
    this.isBroken ||= this.at + length > this.data.length
    if (this.isBroken) return undefined
    this.at += length
    return this.data.subarray(this.at - length, this.at)
  }
}
