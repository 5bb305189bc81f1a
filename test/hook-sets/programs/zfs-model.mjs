/**
 * What zfs(8) does with file systems, snapshots, clones and mount points, for tests where no kernel has zfs: the commands
 * that the pool set uses, with the exit statuses and messages of OpenZFS 2.1 (Debian 12). A dataset is a directory, and its mount
 * is a bind mount. One process at a time: `flock DIRECTORY/lock node zfs-model.mjs DIRECTORY COMMAND ...`
 *
 * Usage messages and everything that the set does not use are left out; `model POOL MOUNTPOINT` makes a pool.
 */
import { spawnSync } from 'node:child_process'
import console from 'node:console'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

const [home, command, ...args] = process.argv.slice(2)
const stateFile = join(home, 'state.json')
/** @type {{ next: number, datasets: Record<string, { id: number, properties: Record<string, string>, origin?: string }>, snapshots: Record<string, number> }} */
const state = existsSync(stateFile)
  ? JSON.parse(readFileSync(stateFile, 'utf8'))
  : { next: 1, datasets: {}, snapshots: {} }

class Failure extends Error {}

const COMMANDS = { model, list, create, clone, snapshot, rename, destroy, get, set, mount, unmount }

try {
  if (!Object.hasOwn(COMMANDS, command)) usage(`unrecognized command '${command}'`)
  COMMANDS[command](...parse(args))
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.error(error.message)
  process.exitCode = 1
} finally {
  save()
}

function model([pool, mountpoint]) {
  for (const name of ['data', 'snapshots']) mkdirSync(join(home, name), { recursive: true })
  add(pool, { mountpoint })
}

function list([name], { o, r, d, S }) {
  const top = name.startsWith('/') ? datasetAt(name) : name
  find(top)
  const deepest = d === undefined ? Infinity : Number(d)
  const found = Object.keys(state.datasets).filter((each) => {
    const depth = each.split('/').length - top.split('/').length
    return each === top || (r === true && each.startsWith(`${top}/`) && depth <= deepest)
  })
  const age = (name) => state.datasets[name].id
  found.sort(S === 'createtxg' ? (a, b) => age(b) - age(a) : undefined)
  for (const each of found) console.log(columns(o, each).join('\t'))
}

function create([name], { o }) {
  refuseTaken(name, 'create')
  add(name, settings(o))
}

function clone([snapshot, name], { o }) {
  find(snapshot)
  refuseTaken(name, 'create')
  add(name, settings(o), snapshot)
}

function snapshot([name]) {
  const [dataset] = name.split('@')
  find(dataset)
  if (name in state.snapshots) fail(`cannot create snapshot '${name}': dataset already exists`)
  const id = state.next++
  copy(data(dataset), join(home, 'snapshots', String(id)))
  state.snapshots[name] = id
}

function rename([from, to]) {
  find(from)
  refuseTaken(to, 'rename', from)
  const moved = [from, ...below(from)]
  const mounted = moved.filter(mountOf)
  for (const name of mounted.toReversed()) detach(name, inherits(name))
  for (const name of moved) {
    state.datasets[to + name.slice(from.length)] = state.datasets[name]
    Reflect.deleteProperty(state.datasets, name)
  }
  for (const [name, id] of Object.entries(state.snapshots))
    if (moved.includes(name.split('@')[0])) {
      state.snapshots[to + name.slice(from.length)] = id
      Reflect.deleteProperty(state.snapshots, name)
      for (const each of Object.values(state.datasets))
        if (each.origin === name) each.origin = to + name.slice(from.length)
    }
  for (const name of mounted) attach(to + name.slice(from.length))
}

function destroy([name], { r }) {
  find(name)
  const all = [name, ...below(name)]
  const snapshots = Object.keys(state.snapshots).filter((each) => all.includes(each.split('@')[0]))
  const inside = [...all.slice(1), ...snapshots]
  if (r !== true && inside.length > 0)
    fail(
      `cannot destroy '${name}': filesystem has children\n` +
        `use '-r' to destroy the following datasets:\n${inside.join('\n')}`
    )
  const clones = snapshots.flatMap(clonesOf).filter((each) => !all.includes(each))
  if (clones.length > 0)
    fail(
      `cannot destroy '${name}': filesystem has dependent clones\n` +
        `use '-R' to destroy the following datasets:\n${clones.join('\n')}`
    )
  for (const each of all.toReversed()) {
    if (mountOf(each) !== undefined) detach(each, true)
    for (const own of snapshots.filter((it) => it.startsWith(`${each}@`))) {
      rmSync(join(home, 'snapshots', String(state.snapshots[own])), { recursive: true })
      Reflect.deleteProperty(state.snapshots, own)
    }
    rmSync(data(each), { recursive: true })
    Reflect.deleteProperty(state.datasets, each)
    save()
  }
}

function get([property, name], { o }) {
  find(name)
  if (o !== 'value') usage(`invalid column name '${o}'`)
  console.log(
    name.includes('@') && property === 'clones'
      ? clonesOf(name).join(',') || '-'
      : value(property, name)
  )
}

function set([assignment, name]) {
  find(name)
  const at = assignment.indexOf('=')
  const property = assignment.slice(0, at)
  const wasMounted = mountOf(name) !== undefined
  if (wasMounted) detach(name, property === 'mountpoint')
  state.datasets[name].properties[property] = assignment.slice(at + 1)
  if (wasMounted) attach(name)
}

function mount([name]) {
  find(name)
  if (mountOf(name) !== undefined) fail(`cannot mount '${name}': filesystem already mounted`)
  attach(name)
}

function unmount([name]) {
  find(name)
  if (mountOf(name) === undefined) fail(`cannot unmount '${name}': not currently mounted`)
  detach(name, false)
}

/** Options that take a value are -o, -d and -S; `-o` of list and get is a list of columns. */
function parse(words) {
  const options = {}
  const rest = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]
    if (!word.startsWith('-')) rest.push(word)
    else if (word === '-d' || word === '-S') options[word.slice(1)] = words[++at]
    else if (word === '-o')
      options.o = options.o === undefined ? words[++at] : [options.o, words[++at]].flat()
    else if (word === '-r' || word === '-H') options[word.slice(1)] = true
    else usage(`invalid option '${word.slice(1)}'`)
  }
  return [rest, options]
}

function settings(assignments = []) {
  return Object.fromEntries(
    [assignments].flat().map((each) => {
      const at = each.indexOf('=')
      return [each.slice(0, at), each.slice(at + 1)]
    })
  )
}

function columns(names, dataset) {
  return names.split(',').map((name) => (name === 'name' ? dataset : value(name, dataset)))
}

function value(property, name) {
  if (property === 'mounted') return mountOf(name) === undefined ? 'no' : 'yes'
  if (property === 'origin') return state.datasets[name].origin ?? '-'
  const own = state.datasets[name].properties[property]
  if (own !== undefined) return own
  const above = name.split('/').slice(0, -1).join('/')
  if (!(above in state.datasets)) return property === 'readonly' ? 'off' : '-'
  const inherited = value(property, above)
  if (property !== 'mountpoint' || inherited === 'none') return inherited
  return `${inherited}/${name.split('/').at(-1)}`
}

function inherits(name) {
  return state.datasets[name].properties.mountpoint === undefined
}

function find(name) {
  if (!(name in state.datasets) && !(name in state.snapshots))
    fail(`cannot open '${name}': dataset does not exist`)
}

function refuseTaken(name, verb, subject = name) {
  if (name in state.datasets) fail(`cannot ${verb} '${subject}': dataset already exists`)
  if (!(name.split('/').slice(0, -1).join('/') in state.datasets))
    fail(`cannot ${verb} '${subject}': parent does not exist`)
}

function below(name) {
  return Object.keys(state.datasets)
    .filter((each) => each.startsWith(`${name}/`))
    .sort()
}

function clonesOf(snapshot) {
  return Object.keys(state.datasets).filter((name) => state.datasets[name].origin === snapshot)
}

function datasetAt(path) {
  if (!existsSync(path)) fail(`cannot open '${path}': No such file or directory`)
  const real = realpathSync(path)
  const holding = Object.keys(state.datasets)
    .filter((name) => `${real}/`.startsWith(`${mountOf(name) ?? '\0'}/`))
    .sort((a, b) => mountOf(b).length - mountOf(a).length)
  return holding[0] ?? fail(`cannot open '${path}': not a ZFS filesystem`)
}

function add(name, properties, origin) {
  const id = state.next++
  state.datasets[name] = { id, properties, ...(origin === undefined ? {} : { origin }) }
  if (origin === undefined) mkdirSync(data(name), { mode: 0o755 })
  else copy(join(home, 'snapshots', String(state.snapshots[origin])), data(name))
  attach(name)
}

function data(name) {
  return join(home, 'data', String(state.datasets[name].id))
}

function copy(from, to) {
  run('cp', '-a', '--reflink=auto', '--preserve=xattr', '-T', from, to)
}

/** Where it is mounted, as the kernel says it. */
function mountOf(name) {
  const { dev } = statSync(home)
  const id = `/${home.split('/').slice(-2).join('/')}/data/${state.datasets[name].id}`
  const unescape = (text) =>
    text.replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8)))
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [, , , root = '', point = ''] = line.split(' ')
    if (dev !== 0 && unescape(root).endsWith(id)) return unescape(point)
  }
  return undefined
}

function attach(name) {
  const point = value('mountpoint', name)
  if (point === 'none' || point === 'legacy') return
  mkdirSync(point, { recursive: true })
  run('mount', '--bind', '--make-private', data(name), point)
  if (value('readonly', name) === 'on') run('mount', '-o', 'remount,bind,ro', point)
}

function detach(name, removesPoint) {
  const point = mountOf(name)
  if (spawnSync('umount', [point]).status !== 0)
    fail(`cannot unmount '${point}': pool or dataset is busy`)
  if (removesPoint && readdirSync(point).length === 0) rmdirSync(point)
}

function run(program, ...words) {
  const { status, stderr } = spawnSync(program, words, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program}: ${stderr}`)
}

function fail(message) {
  throw new Failure(message)
}

function usage(message) {
  console.error(message)
  process.exit(2)
}

function save() {
  writeFileSync(`${stateFile}.new`, JSON.stringify(state))
  renameSync(`${stateFile}.new`, stateFile)
}
