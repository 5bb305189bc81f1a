/** Answers requests from a file. */
import { cutData, wholeBlocks, type Extent, type Piece } from '../../nbd/extents.ts'
import {
  contentHeader,
  dataHeader,
  doneReply,
  holeChunk,
  refusedReply,
  statusReply
} from '../../nbd/replies.ts'
import type { Request } from '../../nbd/request.ts'
import { PIECE } from './buffers.ts'
import type { Outgoing, Send } from './outgoing.ts'
import { ReadFailure, type Source } from './source.ts'

/** What an answer is made with. */
export interface Means {
  readonly source: Source
  readonly outgoing: Outgoing
  /** Of PIECE bytes. */
  readonly buffer: Buffer
}

/**
 * Resolves when the whole answer is on its way. A client is told if reading fails. @throws if the client is gone, or cannot be
 * told any more
 */
export async function answer(request: Request, means: Means): Promise<void> {
  try {
    await respond(request, means)
  } catch (error) {
    if (!(error instanceof ReadFailure)) throw error
    await means.outgoing.send(refusedReply(request, error.refusal, error.offset))
  }
}

function respond(request: Request, means: Means): Promise<void> {
  switch (request.command) {
    case 'status':
      return tellStatus(request, means)
    case 'cache':
      return readAhead(request, means)
    case 'read':
      return request.isStructured && !request.isWhole
        ? readInChunks(request, means)
        : readWhole(request, means)
  }
}

/** Holes are not sent. */
async function readInChunks(request: Request, means: Means): Promise<void> {
  const { send } = means.outgoing
  const pieces = cutData(await extentsOf(request, means), request.offset, PIECE)
  for (const [index, piece] of pieces.entries()) {
    const isLast = index === pieces.length - 1
    if (piece.hole) await send(holeChunk(request, piece.offset, piece.length, isLast))
    else {
      const content = await contentOf(piece, means)
      await send(dataHeader(request, piece.offset, piece.length, isLast), content)
    }
  }
}

/** In a simple reply or in one chunk: nothing else can be sent before its last byte. */
async function readWhole(request: Request, means: Means): Promise<void> {
  const [first, ...rest] = cutData([{ length: request.length, hole: false }], request.offset, PIECE)
  const content = await contentOf(first!, means)
  await means.outgoing.alone(async (send) => {
    await send(headerOf(request, rest.length === 0), content)
    if (request.isStructured) await sendInChunk(request, rest, means, send)
    else for (const piece of rest) await send(await contentOf(piece, means).catch(tooLate))
  })
}

function headerOf(request: Request, isLast: boolean): Buffer {
  const { isStructured, offset, length } = request
  return isStructured ? dataHeader(request, offset, length, isLast) : contentHeader(request)
}

/** A chunk that was begun is completed, if need be with zeros, before a client is told of a failure. */
async function sendInChunk(
  request: Request,
  pieces: readonly Piece[],
  means: Means,
  send: Send
): Promise<void> {
  if (pieces.length === 0) return
  let failure: ReadFailure | undefined
  for (const piece of pieces) {
    const content = failure === undefined ? await contentOf(piece, means).catch(asFailure) : failure
    if (content instanceof ReadFailure) failure = content
    await send(content instanceof ReadFailure ? Buffer.alloc(piece.length) : content)
  }
  const end =
    failure === undefined
      ? doneReply(request)
      : refusedReply(request, failure.refusal, failure.offset)
  await send(end)
}

/** A simple reply that was begun as a success can only be broken off. */
function tooLate(cause: unknown): never {
  throw new Error('the reply cannot be completed', { cause })
}

function asFailure(error: unknown): ReadFailure {
  if (error instanceof ReadFailure) return error
  throw error
}

async function tellStatus(request: Request, means: Means): Promise<void> {
  const extents = await extentsOf(request, means)
  const told = extents.slice(0, request.isSingle ? 1 : MAX_EXTENTS)
  await means.outgoing.send(statusReply(request, told))
}

/** A client asks again for what is missing. */
const MAX_EXTENTS = 4096

/** Whatever the file keeps of what was read last makes the next reading faster. */
async function readAhead(request: Request, means: Means): Promise<void> {
  const pieces = cutData(await extentsOf(request, means), request.offset, PIECE)
  for (const piece of pieces) if (!piece.hole) await contentOf(piece, means)
  await means.outgoing.send(doneReply(request))
}

async function extentsOf({ offset, length }: Request, { source }: Means): Promise<Extent[]> {
  return wholeBlocks(await source.extents(offset, length), offset)
}

async function contentOf({ offset, length }: Piece, { source, buffer }: Means): Promise<Buffer> {
  const content = buffer.subarray(0, length)
  await source.read(content, offset)
  return content
}
