/** How much memory the image of a large layer takes, with whichever Node runs this. */
import { expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { longTests } from '../support/requires.ts'
import { run } from '../support/run.ts'
import { directory, encodeEntry, file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand } from './cli.ts'

const LIMIT_KIB = 256 * 1024
const DIRECTORIES = 200
const FILES = 1000

/** Run in each thread; all say the same of the process. */
const REPORT = `data:text/javascript,
  process.on('exit', () => process.stderr.write('peak ' + process.resourceUsage().maxRSS + '\\n'))`

test.runIf(longTests())(
  'a layer of 200,000 entries becomes an image with at most 256 MiB of memory',
  () => {
    const work = makeTemporary()
    try {
      const { reference } = buildImage(`${work}/layout`, { layers: [largeLayer()] })
      expect(peakOf('erofs', 'make', '--image', reference, `${work}/images`)).toBeLessThan(
        LIMIT_KIB
      )
    } finally {
      removeTemporary(work)
    }
  }
)

function largeLayer(): Buffer {
  const directories = Array.from({ length: DIRECTORIES }, (_, i) =>
    largeDirectory(`directory-${i}`)
  )
  return Buffer.concat([...directories, tar()])
}

function largeDirectory(name: string): Buffer {
  const files = Array.from({ length: FILES }, (_, i) =>
    file(`${name}/file-${i}`, 'a'.repeat(i % 600))
  )
  return Buffer.concat([directory(name), ...files].map(encodeEntry))
}

/** The peak of a run of the program, in KiB. */
function peakOf(...args: string[]): number {
  const [node, main] = ociUnpackCommand
  const { status, stderr } = run(node, '--import', REPORT, main, ...args)
  expect(status).toBe(0)
  return Number(/peak (\d+)/.exec(stderr)![1])
}
