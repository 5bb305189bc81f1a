// Hooks as functions: a cache of layers, and bundles that are overlay mounts, so that what a step changes is known.
import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import console from 'node:console'
import { existsSync, lstatSync, mkdirSync, mkdtempSync } from 'node:fs'
import { readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Every chain of layers once, as a directory below `cache`. Several programs may use it at once.
 * @returns {import('oci-unpack').UnpackHooks}
 */
export function cacheHooks(cache) {
  const states = join(cache, 'states')
  const staged = join(cache, 'staged')
  const stateOf = (chainId) => join(states, chainId.replace(':', '-'))

  return {
    name: 'stacker-like',
    extract: 'chain',
    timeout: 600_000,

    prepare() {
      for (const path of [states, staged]) mkdirSync(path, { recursive: true, mode: 0o700 })
    },
    trySkip({ chainId }) {
      return existsSync(stateOf(chainId)) ? { target: stateOf(chainId) } : 'decline'
    },
    preExtract({ parentChainId }) {
      const target = mkdtempSync(`${staged}/`)
      if (parentChainId !== undefined) copy(stateOf(parentChainId), target)
      return { target }
    },
    postExtract({ index, layerCount, chainId, target }) {
      run('sync', '-f', target)
      renameSync(target, stateOf(chainId))
      console.error(`extracted layer ${index + 1} of ${layerCount}`)
      return { target: stateOf(chainId) }
    },
    finish({ layers, rootfs, state }) {
      mount(layers.at(-1)?.target, rootfs, state)
    },
    deltaList: ({ state }) => changed(binary(join(state, 'upper')), binary(join(state, 'lower'))),
    delete({ rootfs }) {
      unmount(rootfs)
    },
    abort({ rootfs, targets }) {
      unmount(rootfs)
      for (const target of targets) rmSync(target, { recursive: true, force: true })
    }
  }
}

/** What a directory of the overlay had below is named too: it may be hidden now. `/` stands for all below a path. */
function* changed(upper, lower, path = '.') {
  yield bytes(path)
  const above = readdirSync(bytes(join(upper, path)), 'latin1')
  for (const name of new Set([...above, ...namesIn(join(lower, path))])) {
    const child = join(path, name)
    if (!above.includes(name)) yield bytes(child)
    else if (lstatSync(bytes(join(upper, child))).isDirectory()) yield* changed(upper, lower, child)
    else yield bytes(`${child}/`)
  }
}

function namesIn(directory) {
  const found = lstatSync(bytes(`${directory}/.`), { throwIfNoEntry: false })
  return found?.isDirectory() ? readdirSync(bytes(directory), 'latin1') : []
}

/** Options are relative to `state`, so that no path has to be escaped. An image without layers has no `lower`. */
function mount(lower, rootfs, state) {
  for (const name of ['upper', 'work']) mkdirSync(join(state, name))
  mkdirSync(rootfs)
  if (lower === undefined) mkdirSync(join(state, 'lower'))
  else symlinkSync(lower, join(state, 'lower'))
  copyMetadata(join(state, 'lower'), join(state, 'upper'))
  const options =
    'lowerdir=lower,upperdir=upper,workdir=work,index=off,metacopy=off,redirect_dir=nofollow'
  execFileSync('mount', ['-t', 'overlay', 'stacker-like', '-o', options, rootfs], { cwd: state })
}

/** Of one directory: owner, mode, time and attributes. The upper directory is what the root shows. */
function copyMetadata(from, to) {
  const attributes = ['--xattrs', '--xattrs-include=*']
  const input = execFileSync('tar', [
    '--format=posix',
    ...attributes,
    '--no-recursion',
    '-cC',
    from,
    '.'
  ])
  execFileSync('tar', [...attributes, '-xpC', to], { input })
}

/** Nothing where nothing is mounted. */
function unmount(rootfs) {
  if (existsSync(rootfs) && lstatSync(rootfs).dev !== lstatSync(join(rootfs, '..')).dev)
    run('umount', rootfs)
}

function copy(from, to) {
  run('cp', '-a', '--preserve=xattr', '--reflink=auto', '-T', from, to)
}

function run(program, ...args) {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Names are bytes; as latin1 text each byte is one character. */
const bytes = (path) => Buffer.from(path, 'latin1')
const binary = (path) => Buffer.from(path).toString('latin1')
