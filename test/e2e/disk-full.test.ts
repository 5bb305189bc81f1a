import { mkdirSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { file, tar, type Entry } from '../support/tar-builder.ts'
import { withTemporary } from '../support/temporary.ts'
import { run } from '../support/run.ts'
import { ociUnpackCommand } from './cli.ts'

const manyFiles: Entry[] = Array.from({ length: 3000 }, (_, i) => file(`file-${i}`))

describe.runIf(needs('root', 'unshare'))('a full file system', () => {
  test.each([
    ['no room for a body', 'size=4m', [file('big', randomBytes(8 << 20))], '/small/bundle\n'],
    ['no inode for a name', 'nr_inodes=1000', manyFiles, 'file-']
  ])('ends in an error and is empty afterwards: %s', (_name, options, entries, says) => {
    withTemporary((work) => {
      const { reference } = buildImage(`${work}/layout`, { layers: [tar(...entries)] })
      mkdirSync(`${work}/small`)
      const { status, stdout, stderr } = inMount(`${work}/small`, options, [
        ...ociUnpackCommand,
        ...['unpack', '--image', reference, `${work}/small/bundle`]
      ])
      expect(stderr).toContain('ENOSPC')
      expect(stderr).toContain(says)
      expect(stdout).toBe('')
      expect(status).toBe(1)
    })
  })
})

/** Runs a command with a small tmpfs in a mount namespace of its own; stdout is what is in the tmpfs afterwards. */
function inMount(directory: string, options: string, command: string[]): ReturnType<typeof run> {
  const script = `mount -t tmpfs -o ${options} tmpfs ${directory}; s=0; "$@" >/dev/null || s=$?; ls -A ${directory}; exit $s`
  return run('unshare', '--mount', 'sh', '-euc', script, 'sh', ...command)
}
