/** The place of a test: a layout with two images, what belongs to others, and nothing of the machine's own settings. */
import {
  chmodSync,
  chownSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { snapshot } from '../reference/snapshot.ts'
import { buildImage, type Layer } from '../support/image-builder.ts'
import { char, directory, fifo, file, hardlink, symlink, tar } from '../support/tar-builder.ts'

/** Two layers whose parts meet: links, a whiteout, attributes, devices, directories that nobody describes. */
const LAYERS: readonly (Buffer | Layer)[] = [
  tar(
    directory('./', { mode: 0o751, mtime: 900_000 }),
    directory('etc/', { mode: 0o755, mtime: 1_000_000 }),
    file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n'),
    file('etc/old', 'goes with the second layer'),
    file('bin/tool', 'x'.repeat(70_000), { mode: 0o755, pax: { 'SCHILY.xattr.trusted.x': 'y' } }),
    hardlink('bin/other-name', 'bin/tool'),
    symlink('sh', 'bin/tool'),
    char('dev/null', 1, 3),
    fifo('run/pipe', { uid: 7, gid: 8 })
  ),
  tar(
    file('etc/.wh.old'),
    file('etc/new', 'new'),
    ...['1', '2', '3', '4', '5'].map((name) => file(`var/data/${name}`, name)),
    directory('srv/', { mode: 0o1750, uid: 5 })
  )
]
const OTHER: readonly Buffer[] = [
  tar(file('etc/passwd', 'root:x:0:0::/:/bin/sh\n'), file('other', 'other'))
]

export const LAYER_FILE = tar(file('added/by/hand', 'added'))

export class Box {
  /** What a run may look at and change. */
  readonly path: string
  readonly work: string

  /** `work` is a directory of the test; the box is one in it, made anew by `empty`. */
  constructor(work: string) {
    this.work = work
    this.path = `${work}/box`
    const template = `${work}/template`
    const other = buildImage(`${work}/other`, { layers: OTHER, tag: 'other' })
    buildImage(template, { layers: LAYERS, tag: 'image' })
    cpSync(`${other.layout}/blobs`, `${template}/blobs`, { recursive: true })
    const both = [
      { ...this.entryOf(template), ...tagged('image') },
      { ...other.manifest, ...tagged('other') }
    ]
    writeFileSync(`${template}/index.json`, JSON.stringify({ schemaVersion: 2, manifests: both }))
    writeFileSync(`${template}/blobs/sha256/${'ab'.repeat(32)}`, 'nobody needs this')
    writeFileSync(`${work}/layer.tar`, LAYER_FILE)
  }

  get layout(): string {
    return `${this.path}/layout`
  }
  get image(): string {
    return `${this.layout}:image`
  }
  get bundle(): string {
    return `${this.path}/bundle`
  }
  get env(): NodeJS.ProcessEnv {
    const { PATH } = process.env
    const settings = `${this.work}/settings`
    return {
      PATH,
      XDG_CACHE_HOME: `${this.path}/cache`,
      XDG_CONFIG_HOME: settings,
      SOURCE_DATE_EPOCH: '1'
    }
  }

  empty(): void {
    rmSync(this.path, { recursive: true, force: true })
    mkdirSync(this.path)
    cpSync(`${this.work}/template`, this.layout, { recursive: true })
    makeTree(`${this.path}/others`)
  }

  private entryOf(layout: string): object {
    const index = readFileSync(`${layout}/index.json`, 'utf8')
    return (JSON.parse(index) as { manifests: object[] }).manifests[0]!
  }
}

const tagged = (tag: string): object => ({
  annotations: { 'org.opencontainers.image.ref.name': tag }
})

/** A tree of somebody else, with modes, owners, times and attributes of its own. */
export function makeTree(tree: string): void {
  for (const [path, mode, uid] of TREE) {
    mkdirSync(`${tree}/${path}`, { recursive: true })
    writeFileSync(`${tree}/${path}/theirs`, path)
    for (const name of [path, `${path}/theirs`]) chownSync(`${tree}/${name}`, uid, uid)
    chmodSync(`${tree}/${path}`, mode)
    utimesSync(`${tree}/${path}/theirs`, 1000, 1000)
  }
  for (const [path] of TREE.toReversed()) utimesSync(`${tree}/${path}`, 2000, 2000)
  utimesSync(`${tree}/home`, 2000, 2000)
  utimesSync(tree, 3000, 3000)
}

const TREE = [
  ['var', 0o751, 11],
  ['var/data', 0o1770, 12],
  ['etc', 0o700, 13],
  ['home/user', 0o710, 14],
  ['bin', 0o2755, 15]
] as const

/** Every field of a tree down to ctime and inode: what nobody touched is the same. */
export function untouched(tree: string): string {
  return `${snapshot(tree)}\n${changeTimes(tree).join('\n')}`
}

function changeTimes(path: string): string[] {
  const { ctimeNs, ino } = lstatSync(path, { bigint: true })
  const below = lstatSync(path).isDirectory() ? readdirSync(path).sort() : []
  return [`${path} ${ctimeNs} ${ino}`, ...below.flatMap((name) => changeTimes(`${path}/${name}`))]
}
