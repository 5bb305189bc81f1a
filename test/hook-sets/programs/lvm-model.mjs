/**
 * What LVM does with thin volumes, for tests where the kernel has no dm-thin: the commands and options that the set
 * lvm-thin uses, with the messages of LVM 2.03. A volume is a sparse file, active as a loop device that /dev/VG/NAME leads to, and a
 * snapshot is a copy; file systems and mounts are real. What a pool has left is what the test says.
 * One process at a time: `flock DIRECTORY/lock node lvm-model.mjs DIRECTORY COMMAND ...`
 *
 * Every call is recorded in DIRECTORY/calls. With a number in DIRECTORY/kill, such as 3 or -3, the program that makes so many
 * further calls that change something is killed by the last of them: before it does anything, or (negative) when it is done.
 */
import { spawnSync } from 'node:child_process'
import console from 'node:console'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { basename, join } from 'node:path'
import process from 'node:process'

const [home, command, ...given] = process.argv.slice(2)
const stateFile = join(home, 'state.json')
/** @type {{ vg: string, next: number, pools: Record<string, Record<string, string>>, volumes: Record<string, { id: number, pool: string, bytes: number, tags: string[], readOnly: boolean, skip: boolean, loop?: string }> }} */
const state = JSON.parse(readFileSync(stateFile, 'utf8'))

class Failure extends Error {}

const COMMANDS = { lvs, lvcreate, lvchange, lvrename, lvremove, lvextend }
const FLAGS = new Set(['--yes', '--noheadings', '--nosuffix', '--ignoreactivationskip'])

appendFileSync(join(home, 'calls'), `${JSON.stringify([command, ...given])}\n`)
const kill = command === 'lvs' ? undefined : countDown()
if (kill === 'before') die()
try {
  COMMANDS[command](...parse(given))
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.error(`  ${error.message}`)
  process.exitCode = 5
} finally {
  writeFileSync(stateFile, JSON.stringify(state))
}
if (kill === 'after') die()

function countDown() {
  const file = join(home, 'kill')
  if (!existsSync(file)) return undefined
  const left = Number(readFileSync(file, 'utf8'))
  writeFileSync(file, String(left - Math.sign(left)))
  return left === 1 ? 'before' : left === -1 ? 'after' : undefined
}

function die() {
  process.kill(process.ppid, 'SIGKILL')
  process.exit(1)
}

function parse(words) {
  const options = { addtag: [], deltag: [] }
  const names = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]
    if (!word.startsWith('-')) names.push(word)
    else if (FLAGS.has(word)) options[word.slice(2)] = true
    else {
      const name = word === '-o' ? 'o' : word.slice(2)
      const value = words[++at]
      if (Array.isArray(options[name])) options[name].push(value)
      else options[name] = value
    }
  }
  return [names, options]
}

function lvs([target], { o, separator }) {
  const [vg, name] = target.split('/')
  if (vg !== state.vg) fail(`Volume group "${vg}" not found\n  Cannot process volume group ${vg}`)
  const all = { ...state.volumes, ...state.pools }
  if (name !== undefined && !(name in all)) fail(`Failed to find logical volume "${target}"`)
  for (const each of name === undefined ? Object.keys(all).sort() : [name])
    console.log(
      `  ${o
        .split(',')
        .map((field) => column(each, field))
        .join(separator)}`
    )
}

function column(name, field) {
  const pool = state.pools[name]
  if (pool !== undefined) return { lv_name: name, ...pool }[field] ?? ''
  const { bytes, tags, loop, pool: within } = state.volumes[name]
  const [major, minor] = loop === undefined ? [-1, -1] : numbers(loop)
  switch (field) {
    case 'lv_name':
      return name
    case 'lv_size':
      return bytes
    case 'lv_kernel_major':
      return major
    case 'lv_kernel_minor':
      return minor
    case 'pool_lv':
      return within
    case 'lv_tags':
      return tags.join(',')
    case 'segtype':
      return 'thin'
    default:
      return ''
  }
}

function lvcreate([origin], options) {
  const { name, addtag, virtualsize, thinpool, type } = options
  if (type !== 'thin') fail("Run `lvcreate --help' for more information.")
  if (name in state.volumes || name in state.pools)
    fail(`Logical Volume "${name}" already exists in volume group "${state.vg}"`)
  for (const tag of addtag)
    if (!/^[A-Za-z0-9_+./=!:&#][A-Za-z0-9_+.\-/=!:&#]*$/.test(tag)) fail(`Invalid tag ${tag}`)
  if (!/^[A-Za-z0-9_+.][A-Za-z0-9_+.-]*$/.test(name)) fail(`Name contains invalid character.`)
  const id = state.next++
  if (origin === undefined) {
    writeFileSync(data(id), '')
    truncateSync(data(id), megabytes(virtualsize))
    const pool = thinpool.split('/')[1]
    add(name, { id, pool, bytes: megabytes(virtualsize), ...asked(options) })
  } else {
    const { id: from, pool, bytes } = find(origin)
    run('cp', '--reflink=auto', '--sparse=always', data(from), data(id))
    add(name, { id, pool, bytes, ...asked(options) })
  }
  activate(name)
  console.log(`  Logical volume "${name}" created.`)
}

function asked({ addtag, permission, setactivationskip }) {
  return { tags: addtag, readOnly: permission === 'r', skip: setactivationskip === 'y' }
}

function add(name, volume) {
  state.volumes[name] = volume
}

function lvchange([target], options) {
  if (target.split('/')[1] in state.pools) {
    state.pools[target.split('/')[1]].data_percent ||= '10.00'
    return
  }
  const volume = find(target)
  if (!isSelected(volume, options)) return
  if (options.permission !== undefined) volume.readOnly = options.permission === 'r'
  volume.tags = volume.tags.filter((tag) => !options.deltag.includes(tag)).concat(options.addtag)
  if (options.activate === 'y' && (!volume.skip || options.ignoreactivationskip))
    activate(basename(target))
  if (options.activate === 'n') deactivate(basename(target))
}

function lvrename([vg, from, to]) {
  const volume = find(`${vg}/${from}`)
  if (to in state.volumes || to in state.pools)
    fail(`Logical Volume "${to}" already exists in volume group "${vg}"`)
  Reflect.deleteProperty(state.volumes, from)
  add(to, volume)
  if (volume.loop === undefined) return
  rmSync(device(from))
  symlinkSync(volume.loop, device(to))
}

function lvremove([target], options) {
  const volume = find(target)
  if (!isSelected(volume, options)) return
  deactivate(basename(target))
  rmSync(data(volume.id))
  Reflect.deleteProperty(state.volumes, basename(target))
}

function lvextend([target], { size }) {
  const volume = find(target)
  volume.bytes = megabytes(size)
  truncateSync(data(volume.id), volume.bytes)
  if (volume.loop !== undefined) run('losetup', '--set-capacity', volume.loop)
}

/** `lv_tags={"TAG"}` */
function isSelected({ tags }, { select }) {
  return select === undefined || tags.includes(/^lv_tags=\{"(.*)"\}$/.exec(select)[1])
}

function activate(name) {
  const volume = state.volumes[name]
  if (volume.loop !== undefined) return
  const more = volume.readOnly ? ['--read-only'] : []
  volume.loop = run('losetup', '--find', '--show', ...more, data(volume.id)).trim()
  mkdirSync(`/dev/${state.vg}`, { recursive: true })
  symlinkSync(volume.loop, device(name))
}

function deactivate(name) {
  const volume = state.volumes[name]
  if (volume.loop === undefined) return
  const own = numbers(volume.loop).join(':')
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  if (mounts.some((line) => line.split(' ')[2] === own))
    fail(`Logical volume ${state.vg}/${name} contains a filesystem in use.`)
  run('losetup', '--detach', volume.loop)
  Reflect.deleteProperty(volume, 'loop')
  rmSync(device(name))
  try {
    rmdirSync(`/dev/${state.vg}`)
  } catch {
    // others are active
  }
}

function find(target) {
  const [vg, name] = target.split('/')
  if (vg !== state.vg || !(name in state.volumes)) fail(`Failed to find logical volume "${target}"`)
  return state.volumes[name]
}

function numbers(loop) {
  return readFileSync(`/sys/block/${basename(loop)}/dev`, 'utf8')
    .trim()
    .split(':')
}

function data(id) {
  return join(home, 'data', String(id))
}

function device(name) {
  return `/dev/${state.vg}/${name}`
}

function megabytes(size) {
  if (!/^[0-9]+m$/.test(size)) fail(`Invalid argument for size: ${size}`)
  return Number(size.slice(0, -1)) * 1_048_576
}

function run(program, ...args) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) fail(stderr)
  return stdout
}

function fail(message) {
  throw new Failure(message)
}
