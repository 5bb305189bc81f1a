import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { compareTrees } from '../support/compare-trees.ts'
import { withTemporary } from '../support/temporary.ts'
import { ok, type Run } from '../support/run.ts'
import { ociUnpack } from './cli.ts'

/** Where hostile images are unpacked: things around the bundle that must still be there, untouched, afterwards. */
export interface Sandbox {
  /** Holds everything below. */
  directory: string
  layout: string
  bundle: string
}

/**
 * Runs `unpack` on what `build` makes and reports what it said and what it changed (compare-trees lines; only the
 * times of the directory that would hold the bundle may change).
 * @param build makes the layout and returns the reference to unpack
 * @param look sees a bundle that succeeded
 */
export function unpackInSandbox(
  build: (box: Sandbox) => string,
  look: (box: Sandbox) => void = () => undefined
): Run & { changes: string[] } {
  return withTemporary((directory) => {
    const box = makeSandbox(`${directory}/box`)
    const reference = build(box)
    ok('cp', '-a', box.directory, `${directory}/before`)
    const run = ociUnpack('unpack', '--image', reference, box.bundle)
    if (run.status === 0) look(box)
    const changes = compareTrees(`${directory}/before`, box.directory, ['.:mtime'])
    return { ...run, changes }
  })
}

function makeSandbox(directory: string): Sandbox {
  mkdirSync(`${directory}/outside/directory`, { recursive: true })
  writeFileSync(`${directory}/outside/file`, 'untouched')
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
