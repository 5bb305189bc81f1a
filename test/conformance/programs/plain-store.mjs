// Hook functions that keep every chain of layers as a plain directory in $STORE, and make each bundle by a copy. With
// $DEFECT they break their contract in one way.
import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

const at = (...names) => join(process.env.STORE, ...names)
const has = (defect) => process.env.DEFECT === defect
const stateOf = (key) => at('states', key.replace(':', '-'))
const run = (program, ...args) =>
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
const copy = (from, to, ...options) =>
  run('cp', '-a', '--preserve=xattr', ...options, '-T', from, to)
const remove = (path) => rmSync(path, { recursive: true, force: true })

function bind(top, rootfs) {
  const own = mkdtempSync(at('staged', 'bundle-'))
  copy(top, own)
  run('mount', '--bind', own, rootfs)
  writeFileSync(at('top'), top)
  writeFileSync(at('rootfs'), rootfs)
}

function isMounted(path) {
  try {
    run('mountpoint', '-q', path)
    return true
  } catch {
    return false
  }
}

function fill(target, parentChainId) {
  if (parentChainId !== undefined) copy(stateOf(parentChainId), target)
  return { target }
}

const list = (rootfs) => execFileSync('find', [rootfs, '-mindepth', '1', '-printf', '%P\\0'])

function paths(list) {
  const names = list.toString('latin1').split('\0').slice(0, -1)
  return names.map((name) => Buffer.from(name, 'latin1'))
}

/** As on a file system that has whole seconds. */
function cutTimes(tree) {
  const names = execFileSync('find', [tree, '-depth', '-print0']).toString('latin1').split('\0')
  for (const name of names.slice(0, -1)) {
    const path = Buffer.from(name, 'latin1')
    const seconds = Math.floor(lstatSync(path).mtimeMs / 1000)
    lutimesSync(path, seconds, seconds)
  }
}

const MOUNTING = ['delete leaves the mount', 'mount loses changes', 'delete goes by the path']
const isKnown = (rootfs) => readFileSync(at('rootfs'), 'utf8') === rootfs

/** Functions of a set that mounts; mount makes another copy of the layers. */
const mounts = {
  mount({ rootfs }) {
    if (!isMounted(rootfs)) bind(readFileSync(at('top'), 'utf8'), rootfs)
  },

  umount({ rootfs }) {
    if (isMounted(rootfs)) run('umount', rootfs)
  }
}

export default {
  // the module is loaded once for all defects
  get mount() {
    return has('mount loses changes') ? mounts.mount : undefined
  },

  get umount() {
    return has('mount loses changes') ? mounts.umount : undefined
  },

  get delete() {
    if (has('mount loses changes')) return mounts.umount
    const goesByPath = ({ rootfs }) => (isKnown(rootfs) ? mounts.umount({ rootfs }) : undefined)
    return has('delete goes by the path') ? goesByPath : undefined
  },

  get precision() {
    return has('whole seconds, as declared') ? 'seconds' : undefined
  },

  get xattrs() {
    return has('whole seconds, as declared') ? [] : undefined
  },

  name: 'plain-store',
  extract: 'chain',

  prepare() {
    if (has('prepare fails')) throw new Error(`no room in ${at('states')} for ${Date.now()}`)
    if (has('none, but it prints')) process.stdout.write('preparing')
    for (const name of ['states', 'staged', 'empty']) mkdirSync(at(name), { recursive: true })
  },

  trySkip({ chainId, index }) {
    if (has('skip lies') && index === 0) return { target: at('empty') }
    return existsSync(stateOf(chainId)) ? { target: stateOf(chainId) } : 'decline'
  },

  preExtract({ chainId, parentChainId }) {
    if (has('commit before complete')) {
      mkdirSync(stateOf(chainId))
      return fill(stateOf(chainId), parentChainId)
    }
    if (has('target inside another') && parentChainId !== undefined) {
      mkdirSync(join(stateOf(parentChainId), 'inner'))
      return { target: join(stateOf(parentChainId), 'inner') }
    }
    return fill(mkdtempSync(at('staged', 'layer-')), parentChainId)
  },

  postExtract({ target, chainId }) {
    if (target !== stateOf(chainId)) renameSync(target, stateOf(chainId))
    return { target: stateOf(chainId) }
  },

  finish({ rootfs, layers, state }) {
    if (has('finish does nothing')) return
    const top = layers.at(-1).target
    mkdirSync(rootfs)
    if (MOUNTING.some(has)) bind(top, rootfs)
    else if (has('bundles share files')) copy(top, rootfs, '-l')
    else if (has('whole seconds, as declared')) {
      run('cp', '-a', '--no-preserve=xattr', '-T', top, rootfs)
      cutTimes(rootfs)
    } else if (has('times are lost')) run('cp', '-r', '-T', top, rootfs)
    else copy(top, rootfs)
    writeFileSync(join(state, 'known'), list(rootfs))
  },

  /** Every path that is there or ever was when this was asked, as bytes. */
  deltaList({ rootfs, state }) {
    const now = list(rootfs)
    const all = Buffer.concat([readFileSync(join(state, 'known')), now])
    writeFileSync(join(state, 'known'), all)
    return paths(has('delta-list leaves out') ? now : Buffer.concat([all, Buffer.from('.\0')]))
  },

  abort({ targets, rootfs }) {
    if (isMounted(rootfs)) run('umount', rootfs)
    if (!has('abort does nothing')) for (const target of targets) remove(target)
  },

  gc({ liveKeys }) {
    if (has('gc removes nothing')) return
    const live = new Set(has('gc removes all') ? [] : liveKeys.map(stateOf))
    for (const name of readdirSync(at('states')))
      if (!live.has(at('states', name))) remove(at('states', name))
  }
}
