/** Content of which compression loses half. */
import { createHash } from 'node:crypto'

/** Hexadecimal digits, always the same for a seed. @param length even */
export function noise(length: number, seed = ''): Buffer {
  const bytes = createHash('shake256', { outputLength: length / 2 })
    .update(seed)
    .digest()
  return Buffer.from(bytes.toString('hex'), 'latin1')
}
