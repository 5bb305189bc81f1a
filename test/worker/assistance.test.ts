import { expect, test } from 'vitest'
import { BY_NODE } from '../../src/codec/choice.ts'
import type { Digest } from '../../src/image/digest.ts'
import { Assistance } from '../../src/worker/assistance.ts'
import type { CheckBlobTask } from '../../src/worker/check-blob.ts'
import { Control } from '../../src/worker/control.ts'

test('while a task waits for a thread that assists, nobody is sent to assist', async () => {
  const assistance = new Assistance()
  const { line } = assistance.offer(largeBlob(), Control.forLayers(1))
  expect(assistance.neediest(true)).toBe(line)
  const recalled = assistance.recall(() => 'a thread')
  expect(assistance.neediest(true)).toBeUndefined()
  assistance.returned()
  expect(await recalled).toBe('a thread')
  expect(assistance.neediest(true)).toBe(line)
})

function largeBlob(): CheckBlobTask {
  const digest = `sha256:${'0'.repeat(64)}` as Digest
  const source = { digest, size: 2 ** 30 }
  const content = { compression: 'gzip', decompressor: BY_NODE, diffId: digest } as const
  return { type: 'check-blob', layer: 0, source, content }
}
