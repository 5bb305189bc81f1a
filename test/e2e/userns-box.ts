/** A user with an image, for tests of --userns; also what such an image holds. */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { buildImage } from '../support/image-builder.ts'
import { makeUser, removeUser, USER_TOOLS, type OrdinaryUser } from '../support/ordinary-user.ts'
import { expectOk, ok, type Run } from '../support/run.ts'
import { directory, fifo, file, symlink, tar } from '../support/tar-builder.ts'
import { ociUnpackCommand } from './cli.ts'

export const USERNS_TOOLS: readonly string[] = [...USER_TOOLS, 'getcap', 'umoci', 'setfattr']

const CAPABILITY = `\x01\0\0\x02\0\x20${'\0'.repeat(14)}`

const LAYER = tar(
  directory('etc/'),
  file('etc/mine', 'root', { mtime: 1 }),
  file('etc/theirs', 'a', { uid: 33, gid: 44, mode: 0o600, mtime: 1 }),
  directory('closed/', { uid: 5, gid: 6, mode: 0o700 }),
  file('closed/file', 'b', { uid: 5, gid: 6, mode: 0o400 }),
  file('ping', 'c', { mode: 0o755, pax: { 'SCHILY.xattr.security.capability': CAPABILITY } }),
  symlink('link', 'ping', { uid: 7, gid: 8 }),
  fifo('fifo', { uid: 65_535, gid: 65_535 })
)

export interface MapOptions {
  uid_mappings: { containerID: number; hostID: number; size: number }[] | null
  gid_mappings: MapOptions['uid_mappings']
  rootless: boolean
}

export class UsernsBox {
  readonly user: OrdinaryUser = makeUser()
  readonly layout: string = `${this.user.home}/layout`
  readonly image: string = `${this.layout}:latest`
  readonly bundle: string = `${this.user.home}/bundle`

  constructor() {
    this.makeImage(LAYER)
  }

  makeImage(layer: Buffer): void {
    rmSync(this.layout, { recursive: true, force: true })
    buildImage(this.layout, { layers: [layer] })
    ok('chown', '-R', `${this.user.uid}:${this.user.gid}`, this.layout)
  }

  remove(): void {
    removeUser(this.user)
  }

  inside(...args: string[]): Run {
    return this.user.run(...ociUnpackCommand, '--userns', ...args)
  }

  insideOk(...args: string[]): Run {
    return expectOk(this.inside(...args), args.join(' '))
  }

  /** In a namespace that the program did not make. */
  unshared(program: string, ...args: string[]): Run {
    return this.user.run('unshare', '-Ur', '--map-auto', program, ...args)
  }

  unpack(): void {
    this.insideOk('unpack', '--image', this.image, this.bundle)
  }

  /** Without them, everything is compared with the tree manifest. */
  forgetFingerprints(): void {
    for (const name of readdirSync(this.bundle))
      if (name.endsWith('.fingerprints')) rmSync(`${this.bundle}/${name}`)
  }

  mapOptions(bundle: string = this.bundle): MapOptions {
    return (JSON.parse(readFileSync(`${bundle}/umoci.json`, 'utf8')) as { map_options: MapOptions })
      .map_options
  }

  /** Owner and group of a file in the bundle, as this process sees them. */
  owners(name: string): string {
    return ok('stat', '-c', '%u:%g', `${this.bundle}/rootfs/${name}`).stdout.trim()
  }
}
