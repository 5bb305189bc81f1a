/** Entry of a worker thread: one task at a time, answered with `done` or `failed`. */
import { parentPort } from 'node:worker_threads'
import { toErrorRecord } from '../errors.ts'
import { Control } from './control.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { perform } from './perform.ts'

const port = parentPort!

function send(message: FromWorker): void {
  port.postMessage(message)
}

async function answer({ task, control }: ToWorker): Promise<void> {
  try {
    const result = await perform(task, new Control(control), {
      entries: (batch) =>
        port.postMessage({ type: 'entries', batch } satisfies FromWorker, [batch.buffer]),
      lostXattr: (entry, xattr) => send({ type: 'lost-xattr', entry, xattr })
    })
    send({ type: 'done', result })
  } catch (error) {
    send({ type: 'failed', error: toErrorRecord(error) })
  }
}

port.on('message', (message: ToWorker) => void answer(message))
