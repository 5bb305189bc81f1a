/** All clients of a server. */
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Export } from '../../nbd/export.ts'
import { converse } from '../../nbd/session.ts'
import { SharedBuffers } from './buffers.ts'
import { Client } from './client.ts'
import type { Source } from './source.ts'

/** Each may have a buffer of its own; more connections are closed at once. */
const MAX_CLIENTS = 256

export interface ClientsOptions {
  readonly exports: readonly [Export, ...Export[]]
  readonly sourceOf: (chosen: Export) => Source
  /** How long a client may take to choose an export, in milliseconds. Default a minute. */
  readonly patience?: number
}

const PATIENCE_MS = 60_000

export class Clients {
  /** Does not listen yet. */
  readonly server: Server
  private readonly options: ClientsOptions
  private readonly buffers = new SharedBuffers()
  private readonly present = new Set<Client>()
  private isClosing = false

  constructor(options: ClientsOptions) {
    this.options = options
    // a client that ends its side may still want its answers
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.welcome(socket)
    )
    this.server.maxConnections = MAX_CLIENTS
    this.server.on('error', () => undefined) // of one that could not be accepted
  }

  /**
   * Takes no more clients, and resolves when those that are there have gone: at once, or when they have their answers.
   * @param grace how long that may take, in milliseconds
   */
  async close(grace: number): Promise<void> {
    this.isClosing = true
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()))
    const stop = new AbortController()
    const late = sleep(grace, undefined, { signal: stop.signal }).catch(() => undefined)
    const all = [...this.present]
    await Promise.race([Promise.all(all.map((client) => client.finish())), late])
    stop.abort()
    for (const client of all) client.drop()
    await closed
  }

  private welcome(socket: Socket): void {
    const { exports, sourceOf, patience = PATIENCE_MS } = this.options
    const conversation = converse({ exports, isClosing: () => this.isClosing })
    const client = new Client(socket, { conversation, sourceOf, buffers: this.buffers, patience })
    this.present.add(client)
    void client.gone.then(() => this.present.delete(client))
  }
}
