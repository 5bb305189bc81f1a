/** Where hostile images are unpacked, and what that changes around the bundle. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { compareTrees } from '../support/compare-trees.ts'
import { withTemporary } from '../support/temporary.ts'
import { ok, run, type Run } from '../support/run.ts'
import { ociUnpackCommand } from './cli.ts'

/** Things around the bundle that must still be there, untouched, afterwards. */
export interface Sandbox {
  /** Holds everything below. */
  directory: string
  layout: string
  bundle: string
}

/** Who unpacks: the sandbox belongs to them, and the command is started in this way. */
export interface Unpacker {
  uid: number
  gid: number
  flags: readonly string[]
  command: (program: string, ...args: string[]) => [string, ...string[]]
}

const ROOT: Unpacker = { uid: 0, gid: 0, flags: [], command: (...command) => command }

/**
 * Runs `unpack` on what `build` makes and reports what it said and what it changed (compare-trees lines; only the
 * times of the directory that would hold the bundle may change).
 * @param build makes the layout and returns the reference to unpack
 * @param look sees a bundle that succeeded
 */
export function unpackInSandbox(
  build: (box: Sandbox) => string,
  look: (box: Sandbox) => void = () => undefined,
  { uid, gid, flags, command }: Unpacker = ROOT
): Run & { changes: string[] } {
  return withTemporary((directory) => {
    const box = makeSandbox(`${directory}/box`)
    const reference = build(box)
    ok('chown', '-hR', `${uid}:${gid}`, directory)
    ok('cp', '-a', box.directory, `${directory}/before`)
    const args = ['unpack', ...flags, '--image', reference, box.bundle]
    const result = run(...command(...ociUnpackCommand, ...args))
    if (result.status === 0) look(box)
    const changes = compareTrees(`${directory}/before`, box.directory, ['.:mtime'])
    return { ...result, changes }
  })
}

function makeSandbox(directory: string): Sandbox {
  mkdirSync(`${directory}/outside/directory`, { recursive: true })
  writeFileSync(`${directory}/outside/file`, 'untouched')
  for (const [name, mode] of [
    ['closed', 0],
    ['read-only', 0o555]
  ] as const) {
    mkdirSync(`${directory}/outside/${name}`)
    writeFileSync(`${directory}/outside/${name}/file`, 'untouched', { mode: 0o400 })
    chmodSync(`${directory}/outside/${name}`, mode)
  }
  writeFileSync(`${directory}/victim`, 'untouched')
  return { directory, layout: `${directory}/layout`, bundle: `${directory}/bundle` }
}

/** Replaces a file by something that is none: a FIFO hangs whoever opens it, a symlink leads elsewhere. */
export function replaceByFifo(path: string): void {
  rmSync(path)
  ok('mkfifo', path)
}

/** The file is moved out of the layout. */
export function replaceBySymlink(layout: string, path: string): void {
  ok('mv', path, `${layout}.blob`)
  ok('ln', '-s', `${layout}.blob`, path)
}
