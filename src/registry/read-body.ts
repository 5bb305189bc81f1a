/** Reading small answers: documents, and what a server says about an error. */
import { HttpFailure } from './http-failure.ts'
import type { HttpAnswer } from './http.ts'
import type { Secrets } from './secrets.ts'

/** The bytes of an answer, or undefined if there are more than the limit. @throws HttpFailure */
export async function readBody(answer: HttpAnswer, limit: number): Promise<Buffer | undefined> {
  if (Number(answer.headers['content-length'] ?? 0) > limit) {
    answer.discard()
    return undefined
  }
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of answer.body) {
    size += piece.length
    if (size > limit) return undefined
    pieces.push(Buffer.from(piece))
  }
  return Buffer.concat(pieces)
}

/** What is read of the explanation of an error. */
const MAX_EXPLANATION = 16 << 10
const MAX_ERRORS = 3

export interface Explanation {
  /** Codes of distribution-spec, such as `NAME_UNKNOWN`. */
  codes: readonly string[]
  /** For people; empty if the server says nothing. */
  reason: string
}

/** What a server says about an error, in whatever form. A broken connection says nothing. */
export async function readExplanation(answer: HttpAnswer, secrets: Secrets): Promise<Explanation> {
  const type = answer.headers['content-type'] ?? ''
  const body = await readBody(answer, MAX_EXPLANATION).catch((error: unknown) => {
    if (error instanceof HttpFailure) return Buffer.alloc(0)
    throw error
  })
  const text = body?.toString('utf8') ?? ''
  if (/^text\/html/i.test(type) || /^\s*<(?:!doctype|html)/i.test(text))
    return { codes: [], reason: 'the answer is an HTML page' }
  const explanation = fromJson(text) ?? { codes: [], reason: text }
  return { ...explanation, reason: secrets.show(explanation.reason) }
}

/** `{"errors":[{"code":…,"message":…}]}`, and what token services and proxies write. */
function fromJson(text: string): Explanation | undefined {
  const value = parsed(text)
  if (!isObject(value)) return undefined
  const listed = Array.isArray(value.errors) ? value.errors.filter(isObject) : []
  const errors = listed.length > 0 ? listed : [value]
  const codes = errors.flatMap(({ code, error }) => [code, error].find(isText) ?? [])
  return { codes, reason: errors.slice(0, MAX_ERRORS).map(sentence).filter(Boolean).join('; ') }
}

function sentence({ code, error, message, details, detail, error_description }: Values): string {
  const said = [message, details, detail, error_description].find(isText)
  return [[code, error].find(isText), said].filter(isText).join(': ')
}

type Values = Record<string, unknown>

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
