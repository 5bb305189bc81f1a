/** Begins to listen, or says why not. */
import type { AddressInfo, Server } from 'node:net'
import { OciUnpackError } from '../../errors.ts'

export const LOOPBACK = '127.0.0.1'

/** Returns the port. @param port 0 for any that is free. @throws TARGET_BUSY, and what node:net throws */
export async function listenOnPort(server: Server, port: number): Promise<number> {
  try {
    await listening(server, { host: LOOPBACK, port })
    return (server.address() as AddressInfo).port
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    throw new OciUnpackError('TARGET_BUSY', 'Another process listens on this port.', {
      facts: { found: port },
      hint: 'Choose another {port}, or 0 for any that is free.'
    })
  }
}

/** Resolves when the server listens. */
export function listening(
  server: Server,
  where: { path: string } | { host: string; port: number }
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
