/** How a child process ended. */
import type { ChildProcess } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { display } from '../bytes.ts'

/** How a program ended. */
export type Exit =
  | { readonly kind: 'clean' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'not-started'; readonly reason: string }

/** Resolves when the program has ended, with the end of its standard error. Never rejects. */
export function exitOf(child: ChildProcess): Promise<Exit> {
  const messages = tailOf(child)
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ kind: 'not-started', reason: error.message }))
    child.once('exit', (code, signal) => {
      if (code === 0) resolve({ kind: 'clean' })
      else void lastWords(child).then(() => resolve(failure(code, signal, messages())))
    })
  })
}

function failure(code: number | null, signal: string | null, messages: string): Exit {
  const how = signal === null ? `exit status ${String(code)}` : `killed by ${signal}`
  return { kind: 'failed', reason: messages === '' ? how : `${how}: ${messages}` }
}

const WAIT_MS = 50

/** `idle` is called while the program runs, and may throw. */
export async function waitFor(exit: Promise<Exit>, idle: () => void): Promise<Exit> {
  for (;;) {
    const ended = await Promise.race([exit, setTimeout(WAIT_MS, undefined, { ref: false })])
    if (ended !== undefined) return ended
    idle()
  }
}

const LAST_WORDS_MS = 100

/** Standard error may end after the program, or never if another process holds it open. */
async function lastWords(child: ChildProcess): Promise<void> {
  const closed = new Promise((resolve) => child.once('close', resolve))
  await Promise.race([closed, setTimeout(LAST_WORDS_MS, undefined, { ref: false })])
  child.stderr?.destroy()
}

const TAIL_BYTES = 2048

/** The end of what the program writes to standard error. All of it is read, so the program never has to wait. */
function tailOf(child: ChildProcess): () => string {
  let tail = ''
  child.stderr?.on('data', (data: Buffer) => {
    tail = (tail + data.toString('latin1')).slice(-TAIL_BYTES)
  })
  return () => display(tail.trim())
}
