// Prints the states for src/worker/zero-states.ts: `node scripts/zero-states.mjs >states`. Takes a minute or two.
import { Buffer } from 'node:buffer'
import process from 'node:process'
import koffi from 'koffi'

const MIB = 2 ** 20
const GIB = 2 ** 30
const library = koffi.load(null)
const init = library.func('int SHA256_Init(void *)')
const update = library.func('int SHA256_Update(void *, void *, size_t)')

const context = Buffer.alloc(112)
const zeros = Buffer.alloc(MIB)
init(context)
for (let length = MIB; length <= 128 * GIB; length += MIB) {
  update(context, zeros, MIB)
  const isPower = length < GIB && Number.isInteger(Math.log2(length))
  if (isPower || length % GIB === 0) process.stdout.write(`${context.toString('hex', 0, 32)}\n`)
}
