/** EROFS images of whole images, made, verified and mounted by the built program. */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HEEDING_MODES } from '../support/as-user.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage } from '../support/image-builder.ts'
import { mountNew, type Mounted } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { ok, run, type Run } from '../support/run.ts'
import {
  char,
  directory,
  fifo,
  file,
  hardlink,
  symlink,
  tar,
  type Entry
} from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'

const BASE: Entry[] = [
  directory('d', { mode: 0o2750, uid: 70_000, gid: 5 }),
  file('d/gone', 'gone'),
  file('d/kept', 'k'.repeat(10_000), { mode: 0o4755, pax: { mtime: '1234567890.123456789' } }),
  file('d/xattr', 'x', { pax: { 'SCHILY.xattr.user.a': 'value' } }),
  hardlink('d/again', 'd/kept'),
  directory('o'),
  file('o/below', 'below'),
  { ...symlink('l', '../nowhere'), mode: 0o644 },
  fifo('p'),
  char('c', 1, 3)
]
const UPPER: Entry[] = [
  file('d/.wh.gone'),
  file('o/.wh..wh..opq'),
  file('o/above', 'above'),
  hardlink('to-lower', 'd/kept'),
  file('d/\u00fc', 'name')
]

interface Device {
  name: string
  size: number
}

interface Set {
  merged: { name: string }
  devices: Device[]
  verity: (Device & { file: string; digest: string; rootHash: string })[]
}

describe.runIf(needs('root', 'erofs', 'loop', 'fsck.erofs', 'python3'))('erofs', () => {
  let work: string
  let image: string
  let images: string
  let memory: Mounted

  beforeAll(() => {
    work = makeTemporary()
    image = buildImage(`${work}/layout`, {
      layers: [tar(...BASE), tar(...UPPER), tar(file('top', 'top'))]
    }).reference
    images = `${work}/images`
    ociUnpackOk('erofs', 'make', '--jobs', '2', '--image', image, images)
    ociUnpackOk('raw', 'unpack', '--image', image, `${work}/rootfs`)
    mkdirSync(`${work}/mnt`)
    memory = mountNew('tmpfs', 100)
  }, 120_000)
  afterAll(() => {
    memory.release()
    run('umount', `${work}/mnt`)
    removeTemporary(work)
  })

  function setOf(path: string): Set {
    return JSON.parse(readFileSync(`${path}/erofs.json`, 'utf8')) as Set
  }

  /** Mounted by us, with what is told about it; unmounted by `unmount`. */
  function mounted<T>(from: string, unmount: () => void, look: () => T): T {
    ociUnpackOk('erofs', 'mount', from, `${work}/mnt`)
    try {
      return look()
    } finally {
      unmount()
    }
  }

  const byUs = (): void => void ociUnpackOk('erofs', 'umount', `${work}/mnt`)
  const byOthers = (): void => void ok('umount', `${work}/mnt`)

  test('are the tree that unpack makes, from files and from loop devices', () => {
    mounted(images, byUs, () => {
      expect(compareTrees(`${work}/rootfs`, `${work}/mnt`)).toEqual([])
      expect(run('touch', `${work}/mnt/new`).stderr).toContain('Read-only')
    })
    cpSync(images, `${memory.path}/images`, { recursive: true })
    mounted(`${memory.path}/images`, byOthers, () => {
      expect(compareTrees(`${work}/rootfs`, `${work}/mnt`)).toEqual([])
    })
    expect(ok('losetup', '--list', '--noheadings', '--output', 'BACK-FILE').stdout).not.toContain(
      memory.path
    )
  })

  test('have their own path as the source of the mount, unless that is too long for the kernel', () => {
    const source = (from: string): string => {
      const shown = ['findmnt', '--noheadings', '--output=SOURCE', `${work}/mnt`] as const
      return mounted(from, byUs, () => ok(...shown).stdout.trim())
    }
    expect(source(images)).toBe(`${images}/merged.erofs`)
    const far = `${work}/${'x'.repeat(200)}/${'y'.repeat(50)}`
    mkdirSync(far, { recursive: true })
    cpSync(images, `${far}/images`, { recursive: true })
    expect(source(`${far}/images`)).toMatch(/^\/proc\/self\/fd\/\d+$/)
  })

  test('are mounted as mount(8) would, or with less', () => {
    const options = (...flags: string[]): string => {
      ociUnpackOk('erofs', 'mount', ...flags, images, `${work}/mnt`)
      try {
        return ok('findmnt', '--noheadings', '--output=VFS-OPTIONS', `${work}/mnt`).stdout.trim()
      } finally {
        byUs()
      }
    }
    expect(options()).toBe('ro,relatime')
    expect(options('--options=nosuid,nodev')).toBe('ro,nosuid,nodev,relatime')
    expect(options('-o', 'noexec')).toBe('ro,noexec,relatime')
    expect(options('-onosuid,nodev')).toBe('ro,nosuid,nodev,relatime')
    expect(options('-onosuid', '-o', 'nodev')).toBe('ro,nosuid,nodev,relatime')
    for (const wrong of ['rw', 'nosuid,suid', '']) {
      const flags = [`--options=${wrong}`, images, `${work}/mnt`]
      const { status, stderr } = ociUnpack('erofs', 'mount', ...flags)
      expect([status, stderr]).toEqual([1, expect.stringContaining('[USAGE]')])
    }
    expect(readdirSync(`${work}/mnt`)).toEqual([])
  })

  test('are clean for fsck.erofs and for verify', () => {
    const { merged, devices } = setOf(images)
    const paths = devices.map(({ name }) => `${images}/${name}`)
    for (const path of paths) ok('fsck.erofs', path)
    const options = paths.map((path) => `--device=${path}`)
    ok('fsck.erofs', ...options, `${images}/${merged.name}`)
    const { stdout } = ociUnpackOk('erofs', 'verify', '--jobs', '1', '--json', images)
    expect(JSON.parse(stdout)).toMatchObject({ ok: true })
  })

  test('have the same bytes with any number of threads, without the word make too', () => {
    const again = `${work}/again`
    const { stdout } = ociUnpackOk('erofs', '--jobs', '1', '--json', '--image', image, again)
    expect(JSON.parse(stdout)).toEqual(setOf(images))
    ok('diff', '--recursive', images, again)
  })

  test('are not written over', () => {
    const { status, stderr } = ociUnpack('erofs', 'make', '--image', image, images)
    expect(stderr).toContain('[BUNDLE_EXISTS]')
    expect(status).toBe(1)
  })

  test('are not made of an image without layers', () => {
    const { reference } = buildImage(`${work}/empty`, { layers: [] })
    const { status, stderr } = ociUnpack('erofs', 'make', '--image', reference, `${work}/none`)
    expect(stderr).toContain('no layers')
    expect(status).toBe(1)
    expect(existsSync(`${work}/none`)).toBe(false)
  })

  test('are not made of a device that overlay mounts of a layer would not show', () => {
    const { reference } = buildImage(`${work}/zero`, { layers: [tar(char('zero', 0, 0))] })
    const { stderr } = ociUnpack('erofs', 'make', '--image', reference, `${work}/none`)
    expect(stderr).toContain('entry: zero\n')
    expect(stderr).toMatch(/EROFS images of layers .* Unpack the image without hooks\./)
    expect(stderr).not.toContain('hook set')
  })

  const faults: Record<string, (path: string, devices: readonly string[]) => void> = {
    swapped: (path, [a, b]) => {
      renameSync(`${path}/${a}`, `${path}/x`)
      renameSync(`${path}/${b}`, `${path}/${a}`)
      renameSync(`${path}/x`, `${path}/${b}`)
    },
    missing: (path, [, b]) => rmSync(`${path}/${b}`),
    'cut short': (path, [, b]) => truncateSync(`${path}/${b}`, 4096),
    lengthened: (path, [, b]) => ok('truncate', '--size=+4096', `${path}/${b}`),
    'a link': (path, [, b]) => {
      renameSync(`${path}/${b}`, `${path}/x`)
      ok('ln', '--symbolic', 'x', `${path}/${b}`)
    },
    'in another order': (path) => {
      const set = setOf(path)
      writeFileSync(
        `${path}/erofs.json`,
        JSON.stringify({ ...set, devices: set.devices.reverse() })
      )
    },
    'of another image': (path) => {
      const { merged, devices } = setOf(path)
      writeFileSync(`${path}/${merged.name}`, readFileSync(`${path}/${devices[0]!.name}`))
    }
  }

  test.each(Object.keys(faults))('are refused: %s', (name) => {
    const path = `${work}/faulty`
    rmSync(path, { recursive: true, force: true })
    cpSync(images, path, { recursive: true })
    const devices = setOf(path).devices.map((device) => device.name)
    faults[name]!(path, devices)
    for (const args of [
      ['verify', path],
      ['mount', path, `${work}/mnt`]
    ]) {
      const { status, stdout, stderr } = ociUnpack('erofs', ...args)
      expect(stderr).toMatch(/\[(?:EROFS_INVALID|SYSCALL_FAILED)\]/)
      if (args[0] === 'mount' || stdout.includes('[SYSCALL_FAILED]'))
        expect(stdout + stderr).toMatch(new RegExp(`path: ${path}(?:/.*)?$`, 'm'))
      expect(status).toBe(1)
    }
    expect(readdirSync(`${work}/mnt`)).toEqual([])
  })

  test('verify finds other bytes in a body', () => {
    const path = `${work}/bytes`
    cpSync(images, path, { recursive: true })
    const { name } = setOf(path).devices[0]!
    changeByte(`${path}/${name}`)
    const { status, stdout, stderr } = ociUnpack('erofs', 'verify', path)
    expect(stdout).toMatch(new RegExp(`^damaged  ${name}\\n.*another content`, 'm'))
    expect(stderr).toContain('1 of 4 images')
    expect(status).toBe(1)
  })

  test.runIf(needs('veritysetup'))('have hash trees that find every changed byte', () => {
    const path = `${work}/trees`
    ociUnpackOk('erofs', 'make', '--verity', '--image', image, path)
    const { merged, devices, verity } = setOf(path)
    expect(verity.map(({ file }) => file)).toEqual([...devices, merged].map(({ name }) => name))
    for (const { name, file, rootHash } of verity) {
      const files = [`${path}/${file}`, `${path}/${name}`, rootHash]
      ok('veritysetup', 'verify', ...files)
      changeByte(files[0]!)
      expect(run('veritysetup', 'verify', ...files).status).not.toBe(0)
      changeByte(files[0]!)
    }
    ociUnpackOk('erofs', 'verify', path)
    changeByte(`${path}/${verity[0]!.name}`)
    const { stdout } = ociUnpack('erofs', 'verify', path)
    expect(stdout).toMatch(new RegExp(`^damaged +${verity[0]!.name}$`, 'm'))
  })

  test.each([
    ['hash type', 12],
    ['number of blocks', 72],
    ['length of the salt', 80]
  ])('verify finds another %s in a hash tree', (name, offset) => {
    const path = `${work}/${name}`
    ociUnpackOk('erofs', 'make', '--verity', '--image', image, path)
    const set = setOf(path)
    const tree = set.verity[0]!
    const bytes = readFileSync(`${path}/${tree.name}`)
    bytes[offset]! ^= 1
    writeFileSync(`${path}/${tree.name}`, bytes)
    tree.digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    writeFileSync(`${path}/erofs.json`, JSON.stringify(set))
    expect(ociUnpack('erofs', 'verify', path).stdout).toContain('superblock says something else')
  })

  test('verify says of a link in place of a file what it is', () => {
    const path = `${work}/linked`
    ociUnpackOk('erofs', 'make', '--verity', '--image', image, path)
    const { name } = setOf(path).verity[0]!
    renameSync(`${path}/${name}`, `${path}/elsewhere`)
    symlinkSync('elsewhere', `${path}/${name}`)
    expect(ociUnpack('erofs', 'verify', path).stdout).toContain('not a regular file')
  })

  test('verify finds another root hash', () => {
    const path = `${work}/root-hash`
    ociUnpackOk('erofs', 'make', '--verity', '--image', image, path)
    const set = setOf(path)
    set.verity[0]!.rootHash = '0'.repeat(64)
    writeFileSync(`${path}/erofs.json`, JSON.stringify(set))
    expect(ociUnpack('erofs', 'verify', path).stdout).toContain('another root hash')
  })

  test.each([
    ['cut short', 'it is cut short'],
    ['a link', 'it is a symbolic link'],
    ['missing', 'it does not exist']
  ])('verify blames nothing but the layer that is damaged: %s', (name, reason) => {
    const path = `${work}/blamed`
    rmSync(path, { recursive: true, force: true })
    cpSync(images, path, { recursive: true })
    const devices = setOf(path).devices.map((device) => device.name)
    faults[name]!(path, devices)
    const { stdout, stderr } = ociUnpack('erofs', 'verify', path)
    expect(stdout).toMatch(new RegExp(`^damaged  ${devices[1]}\\n.*${reason}`, 'm'))
    expect(stdout).toMatch(/^ok {7}merged.erofs$/m)
    expect(stderr).toContain('1 of 4 images')
  })

  test('what cannot be mounted is an error with a hint', () => {
    const path = `${work}/hinted`
    cpSync(images, path, { recursive: true })
    const description = readFileSync(`${path}/erofs.json`)
    const mount = (): string => ociUnpack('erofs', 'mount', path, `${work}/mnt`).stderr
    writeFileSync(`${path}/erofs.json`, '{}')
    expect(mount()).toContain('Make the images again with `oci-unpack erofs make`.')
    writeFileSync(`${path}/erofs.json`, description)
    rmSync(`${path}/${setOf(path).devices[1]!.name}`)
    expect(mount()).toContain('Put the file back, or make the images again.')
    const { stderr } = ociUnpack('erofs', 'make', '--image', image, '/proc/images')
    expect(stderr).toContain('path: /proc/images\n')
    expect(stderr).toContain('Choose a directory in which you may make files.')
  })

  test.runIf(needs('setpriv'))('verify does not call damaged what it cannot read', () => {
    const path = `${work}/unreadable`
    cpSync(images, path, { recursive: true })
    const [{ name }, missing] = setOf(path).devices as [Device, Device]
    chownSync(`${path}/${name}`, 1, 1)
    chmodSync(`${path}/${name}`, 0)
    const words = [...ociUnpackCommand, 'erofs', 'verify', path]
    const verify = (): Run => run(...HEEDING_MODES, ...words)
    const { status, stdout, stderr } = verify()
    expect(stdout).toMatch(
      new RegExp(`^unreadable  ${name}\\n.* path: ${path}/${name}; call: openat`, 'm')
    )
    expect(stdout).toMatch(/^ok {10}merged.erofs$/m)
    expect(stderr).toContain('[SYSCALL_FAILED]')
    expect(stderr).toContain('1 of 4 images')
    expect(status).toBe(1)
    rmSync(`${path}/${missing.name}`)
    const both = verify()
    expect(both.stdout).toMatch(new RegExp(`^damaged +${missing.name}$`, 'm'))
    expect(both.stderr).toContain('[EROFS_INVALID]')
    expect(both.stderr).toContain('1 of 4 images')
  })

  test('only an EROFS mount is unmounted', () => {
    const { status, stderr } = ociUnpack('erofs', 'umount', memory.path)
    expect(stderr).toContain('[TARGET_INVALID]')
    expect(stderr).toContain('found: tmpfs')
    expect(status).toBe(1)
    expect(ociUnpack('erofs', 'umount', `${work}/mnt`).stderr).toContain('found: no mount')
  })

  test.runIf(needs('unshare'))('need root, and loop devices where files cannot be mounted', () => {
    const command = [...ociUnpackCommand, 'erofs', 'mount']
    const user = run('unshare', '--user', '--map-root-user', ...command, images, `${work}/mnt`)
    expect(user.stderr).toContain('Only root may mount')
    cpSync(images, `${memory.path}/bare`, { recursive: true })
    const script = 'mount -t tmpfs tmpfs /dev; mknod /dev/null c 1 3; exec "$@"'
    const target = `${work}/mnt`
    const bare = ['unshare', '--mount', 'sh', '-euc', script, 'sh'] as const
    const { stderr } = run(...bare, ...command, `${memory.path}/bare`, target)
    expect(stderr).toContain('open("/dev/loop-control") = ENOENT')
  })

  test.each([0.2, 0.3, 0.4, 0.5])('a kill after %f s leaves all or nothing', (seconds) => {
    const path = `${work}/killed-${seconds}`
    const command = [...ociUnpackCommand, 'erofs', 'make', '--image', image, path]
    run('timeout', '--signal=KILL', String(seconds), ...command)
    if (existsSync(path)) ociUnpackOk('erofs', 'verify', path)
    else ociUnpackOk('erofs', 'make', '--image', image, path)
  })

  test('a full disk leaves nothing', () => {
    const small = mountNew('tmpfs', -99)
    try {
      const layers = [tar(file('big', Buffer.alloc(4 << 20, 1)))]
      const { reference } = buildImage(`${work}/big`, { layers })
      const { stderr } = ociUnpack('erofs', 'make', '--image', reference, `${small.path}/images`)
      expect(stderr).toContain('ENOSPC')
      expect(stderr).toContain(`path: ${small.path}/images`)
      expect(existsSync(`${small.path}/images`)).toBe(false)
      expect(readdirSync(small.path)).toEqual([])
    } finally {
      small.release()
    }
  })
})

/** One in the second block: of a body, or of the highest level of a tree. Twice: as it was. */
function changeByte(path: string): void {
  const bytes = readFileSync(path)
  bytes[4096 + 5]! ^= 1
  writeFileSync(path, bytes)
}
