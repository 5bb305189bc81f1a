import { closeSync, openSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { startChild, type Child } from '../../src/codec/child.ts'
import type { Program } from '../../src/codec/programs.ts'
import { temporaryFile } from './support.ts'

const idle = (): void => undefined
let running: Child | undefined

afterEach(async () => {
  await running?.stop()
  running = undefined
})

function start(program: Program): Child {
  const stdin = openSync('/dev/zero', 'r')
  try {
    return (running = startChild(program, stdin))
  } finally {
    closeSync(stdin)
  }
}

const shell = (script: string): Program => ({ path: '/bin/sh', args: ['-c', script] })

async function outputOf(child: Child): Promise<string> {
  let text = ''
  for (let chunk = await child.next(idle); chunk.length > 0; chunk = await child.next(idle)) {
    text += chunk.toString('latin1')
  }
  return text
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

/** Pipes and sockets that this process holds. */
function pipes(): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return targets.filter((target) => /^(pipe|socket):/.test(target)).length
}

describe('a child', () => {
  test('fills every chunk but the last, however little the program writes at once', async () => {
    const child = start(shell('for i in 1 2 3; do head -c 400000; sleep 0.01; done'))
    const sizes: number[] = []
    for (let chunk = await child.next(idle); chunk.length > 0; chunk = await child.next(idle)) {
      sizes.push(chunk.length)
    }
    expect(sizes).toEqual([1 << 20, 1_200_000 - (1 << 20)])
    expect(await child.ended(idle)).toEqual({ kind: 'clean' })
  })

  test('knows PATH and nothing else of the environment', async () => {
    expect(await outputOf(start({ path: '/usr/bin/env', args: [] }))).toBe(
      `PATH=${process.env.PATH ?? ''}\n`
    )
  })

  test('inherits no other descriptors', async () => {
    const open = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')]
    const listed = (await outputOf(start({ path: '/bin/ls', args: ['/proc/self/fd'] }))).split('\n')
    for (const fd of open) {
      closeSync(fd)
      expect(listed).not.toContain(String(fd))
    }
    expect(listed.slice(0, 3)).toEqual(['0', '1', '2'])
  })

  test('reports its exit status and the end of its messages', async () => {
    const child = start(shell('head -c 5000 /dev/zero | tr "\\0" x >&2; echo broken >&2; exit 3'))
    expect(await outputOf(child)).toBe('')
    const exit = await child.ended(idle)
    expect(exit).toMatchObject({ kind: 'failed' })
    expect(exit.kind === 'failed' && exit.reason).toMatch(/^exit status 3: x{2040,}broken$/)
  })

  test('reports a signal', async () => {
    const child = start(shell('kill -TERM $$'))
    await outputOf(child)
    expect(await child.ended(idle)).toEqual({ kind: 'failed', reason: 'killed by SIGTERM' })
  })

  test('that does not exist gives no output and says so', async () => {
    const child = start({ path: '/nonexistent/igzip', args: ['-dc'] })
    expect(await outputOf(child)).toBe('')
    expect(await child.ended(idle)).toMatchObject({ kind: 'not-started' })
  })

  test('that is not a program says so', async () => {
    const child = start({ path: temporaryFile('not-a-program', 'x'), args: [] })
    expect(await outputOf(child)).toBe('')
    expect(await child.ended(idle)).toMatchObject({ kind: 'not-started' })
  })

  test('may say any amount on standard error before it writes', async () => {
    const child = start(shell('head -c 3000000 /dev/zero >&2; echo done'))
    expect(await outputOf(child)).toBe('done\n')
  })

  test('is dead after stop, even if it hangs, with everything that it holds', async () => {
    const pidFile = temporaryFile('pid', '')
    const child = start(shell(`echo $$ > ${pidFile}; echo ready; exec sleep 1000`))
    let turns = 0
    const impatient = () => {
      if (++turns > 20 && readFileSync(pidFile, 'latin1') !== '') throw new Error('enough')
    }
    await expect(child.next(impatient)).rejects.toThrow('enough')
    const pid = Number(readFileSync(pidFile, 'latin1'))
    expect(isAlive(pid)).toBe(true)
    running = undefined
    await child.stop()
    expect(isAlive(pid)).toBe(false)
  })

  test('can be left while it has closed its output and lives on', async () => {
    const child = start(shell('exec >&-; exec sleep 1000'))
    expect(await outputOf(child)).toBe('')
    const impatient = () => {
      throw new Error('enough')
    }
    await expect(child.ended(impatient)).rejects.toThrow('enough')
  })

  test('leaves no descriptors behind', async () => {
    const before = pipes()
    for (let round = 0; round < 5; round++) {
      const child = start(shell('echo x'))
      await child.next(idle)
      running = undefined
      await child.stop()
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(pipes()).toBe(before)
  })
})
