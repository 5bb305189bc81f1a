/** Entry point of a worker thread: runs one task at a time and answers `done` or `failed`. */
import { parentPort } from 'node:worker_threads'
import { toErrorRecord } from '../errors.ts'
import { fromNode } from '../sys/failure.ts'
import { Control } from './control.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { perform } from './perform.ts'

const port = parentPort!

/** @param moved memory that is transferred to the receiver */
function send(message: FromWorker, ...moved: ArrayBuffer[]): void {
  port.postMessage(message, moved)
}

async function answer({ task, control }: ToWorker): Promise<void> {
  try {
    const result = await perform(task, new Control(control), {
      entries: (batch) => send({ type: 'entries', batch }, batch.buffer),
      lostXattr: (entry, xattr) => send({ type: 'lost-xattr', entry, xattr }),
      otherCompression: (found) => send({ type: 'other-compression', found }),
      scanned: (batch) =>
        send(
          { type: 'scanned', batch },
          batch.statuses.buffer,
          batch.names.buffer,
          batch.nameEnds.buffer
        )
    })
    send({ type: 'done', result })
  } catch (error) {
    send({ type: 'failed', error: toErrorRecord(fromNode(error)) })
  }
}

port.on('message', (message: ToWorker) => void answer(message))
