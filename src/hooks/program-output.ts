/** Reads what programs print as their answer: nothing, an absolute path, a JSON object, or a list of changed paths. */
import type { Readable } from 'node:stream'
import { fromBuffer, toText } from '../bytes.ts'
import { parseJson } from '../image/json.ts'
import type { AnswerFields } from './answer.ts'
import { ChangedPathsBuilder } from './changed-paths.ts'
import { answerInvalid } from './failures.ts'
import type { HookPoint } from './points.ts'
import { Records } from './records.ts'

const ANSWER_BYTES = 2 ** 20
const LIST_BYTES = 2 ** 30
const PATH_BYTES = 2 ** 20

/**
 * Reads a program's output to its end. The output counts only if the program succeeds, so an answer that cannot be used
 * is an error only when it is asked for.
 * @throws HOOK_ANSWER_INVALID for more than 1 MiB, or 1 GiB for a delta-list
 */
export async function readOutput(point: HookPoint, output: Readable): Promise<() => AnswerFields> {
  return point === 'delta-list' ? await readList(output) : await readObject(output)
}

/** A JSON object from a hook. @throws HOOK_ANSWER_INVALID */
export function parseFields(text: Uint8Array): AnswerFields {
  const value = attempt(() => parseJson(text))
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw answerInvalid('it is JSON, but not an object')
  return value as AnswerFields
}

async function readObject(output: Readable): Promise<() => AnswerFields> {
  const chunks: Buffer[] = []
  await read(output, ANSWER_BYTES, (chunk) => chunks.push(chunk))
  return () => toFields(Buffer.concat(chunks))
}

function toFields(output: Buffer): AnswerFields {
  const text = toText(fromBuffer(output))?.trim()
  if (text === undefined) throw answerInvalid('it is not UTF-8')
  if (text === '') return {}
  return text.startsWith('{') ? parseFields(output) : { target: withoutNewline(output) }
}

/** Without the newline that echo and printf add to a path. Spaces belong to the path. */
function withoutNewline(output: Buffer): string {
  return output.toString('utf8').replace(/\n$/, '')
}

async function readList(output: Readable): Promise<() => AnswerFields> {
  const list = new ListReader()
  await read(output, LIST_BYTES, (chunk) => list.push(chunk))
  return () => ({ paths: list.end() })
}

/** Reads a list while it arrives: NUL-terminated bytes, or lines of JSON strings if the first byte is a quote. */
class ListReader {
  private readonly paths = new ChangedPathsBuilder()
  private records: Records | undefined
  private asJson = false
  private problem: unknown

  push(chunk: Buffer): void {
    if (this.problem !== undefined) return
    try {
      this.records ??= this.start(chunk)
      this.records.push(chunk)
    } catch (error) {
      this.problem = error
    }
  }

  end(): ChangedPathsBuilder {
    if (this.problem !== undefined) throw this.problem as Error
    const rest = this.records?.rest()
    if (rest !== undefined && rest.length > 0) this.last(rest)
    return this.paths
  }

  private start(chunk: Buffer): Records {
    this.asJson = chunk[0] === 0x22
    return new Records({
      separator: this.asJson ? 0x0a : 0,
      limit: PATH_BYTES,
      onRecord: (record) => this.add(record),
      onTooLong: () => {
        throw notTerminated()
      }
    })
  }

  private add(record: Buffer): void {
    if (this.asJson) this.paths.addText(stringOf(record))
    else this.paths.add(fromBuffer(record))
  }

  private last(rest: Buffer): void {
    if (!this.asJson) throw notTerminated()
    this.add(rest)
  }
}

function stringOf(line: Buffer): string {
  const path = attempt(() => parseJson(line))
  if (typeof path === 'string') return path
  throw answerInvalid('a line of its list is not a JSON string')
}

async function read(
  output: Readable,
  limit: number,
  onChunk: (chunk: Buffer) => void
): Promise<void> {
  let size = 0
  for await (const chunk of output as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) throw answerInvalid(`it is longer than ${limit} bytes`)
    onChunk(chunk)
  }
}

function attempt<T>(parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    throw answerInvalid(`it ${(cause as SyntaxError).message}`, { cause })
  }
}

function notTerminated(): Error {
  return answerInvalid('the last path of its list does not end with a NUL', {
    hint: "End each path with a NUL, for example with find -printf '%P\\0', or print one JSON string per line."
  })
}
