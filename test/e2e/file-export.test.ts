/** `file export` and `file index` as a user runs them, with disks that qemu-img makes. */
import { execFileSync } from 'node:child_process'
import {
  chownSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HEEDING_MODES } from '../support/as-user.ts'
import { blobPath, buildImage, type Layer } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok, run } from '../support/run.ts'
import { directory, file, hardlink, symlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'

const MIB = 2 ** 20
const PLAIN = 'application/vnd.oci.image.layer.v1.tar'
const work = makeTemporary()
/** Text, then zeros, then text. */
const raw = Buffer.alloc(8 * MIB)
raw.fill('the beginning of a disk\n', 0, 3 * MIB)
raw.fill('its end\n', 7 * MIB, 8 * MIB - 5)

const one = (body: Buffer, name = 'disk/disk.img'): Buffer =>
  tar(directory('disk'), file(name, body), file('etc/after', 'x'))

afterAll(() => removeTemporary(work))

describe('file export', () => {
  test('makes a new file with holes, and reports the disk', () => {
    const image = imageOf('raw', [one(raw)])
    const output = join(work, 'raw.img')
    const { stdout } = ociUnpackOk('file', 'export', '--image', image, '--disk', output)
    expect(stdout).toBe('/disk/disk.img: raw, 8388608 bytes\n')
    expect(readFileSync(output).equals(raw)).toBe(true)
    expect(statSync(output).blocks * 512).toBeLessThan(6 * MIB)
  })

  test('writes to standard output, a pipe and a file that is open', () => {
    const image = imageOf('stdout', [tar(file('before', 'x'), file('a', raw), symlink('l', '/a'))])
    const [node, main] = ociUnpackCommand
    const args = [main, 'file', 'export', '--image', image, 'l']
    expect(execFileSync(node, args, { maxBuffer: 1 << 26 }).equals(raw)).toBe(true)
    const fd = openSync(join(work, 'stdout.img'), 'w')
    writeSync(fd, 'header')
    execFileSync(node, [...args, '-'], { stdio: ['ignore', fd, 'inherit'] })
    closeSync(fd)
    const written = readFileSync(join(work, 'stdout.img'))
    expect(written.toString('latin1', 0, 6)).toBe('header')
    expect(written.subarray(6).equals(raw)).toBe(true)
  })

  test('a name of standard output is standard output, where nothing else is written', () => {
    const image = imageOf('named', [one(raw)])
    const [node, main] = ociUnpackCommand
    const args = [main, 'file', 'export', '--image', image, '--disk', '/dev/stdout']
    const command = `"$0" "$@" | cat`
    const piped = execFileSync('bash', ['-c', command, node, ...args], { maxBuffer: 1 << 26 })
    expect(piped.equals(raw)).toBe(true)
    const both = ociUnpack(...args.slice(1), '--json')
    expect(both.stderr).toContain('[USAGE]')
  })

  test('zeros are holes however the layer is cut, and however they were compressed', () => {
    const zeros = Buffer.alloc(16 * MIB)
    const bodies = ['gzip', 'xz', 'zstd', 'bzip2']
      .filter((program) => needs(program))
      .map((program) => execFileSync(program, ['-c'], { input: zeros, maxBuffer: 1 << 26 }))
    for (const [index, body] of [zeros, ...bodies].entries()) {
      const image = imageOf(`zeros-${index}`, [
        { tar: one(body), blob: one(body), mediaType: PLAIN }
      ])
      const output = join(work, `zeros-${index}.img`)
      ociUnpackOk('file', 'export', '--image', image, '--disk', '--inflate', output)
      expect(readFileSync(output).equals(zeros)).toBe(true)
      expect(statSync(output).blocks).toBe(0)
    }
  })

  test('a reader that stops early is told that what it has read must not be used', () => {
    const image = imageOf('head', [one(raw)])
    const [node, main] = ociUnpackCommand
    const command = `"${node}" "${main}" file export --image "${image}" --disk - | head -c 10; echo " \${PIPESTATUS[0]}"`
    const { stdout, stderr } = run('bash', '-c', command)
    expect(stdout).toBe('the beginn 141\n')
    expectReaderGone(stderr, 'standard output')
  })

  test.each(['etc/after/', 'etc/after/.', 'etc/after/../after', 'etc/../none'])(
    'nothing is written for a path that only a directory can have: %s',
    (path) => {
      const args = ['file', 'export', '--image', imageOf(`of ${path}`, [one(raw)]), path, '-']
      const { status, stdout, stderr } = ociUnpack(...args)
      expect(stderr).toMatch(/\[PATH_(NOT_FOUND|INVALID)\]/)
      expect(stderr).not.toContain('must not be used')
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    }
  )

  test('.. in a path is resolved in the image', () => {
    const image = imageOf('up', [one(raw)])
    expect(ociUnpackOk('file', 'export', '--image', image, 'disk/../etc/after').stdout).toBe('x')
  })

  test.each([
    ['a link to nothing', symlink('etc/after', 'nowhere'), 'PATH_NOT_FOUND'],
    ['a directory', directory('etc/after'), 'PATH_INVALID'],
    ['nothing, as its directory is a link', symlink('etc', 'nowhere'), 'PATH_NOT_FOUND']
  ])('what was written of a file that %s replaces must not be used', (name, entry, code) => {
    const layer = tar(directory('etc'), file('etc/after', raw), entry)
    expectFailure(['--image', imageOf(name, [layer]), 'etc/after', '-'], code, 'must not be used')
  })

  test('upper layers win, and remove', () => {
    const upper = tar(directory('disk'), file('disk/disk.img', 'new'))
    const removed = tar(directory('disk'), file('disk/.wh.disk.img'))
    const replaced = imageOf('replaced', [one(raw), upper])
    const { stdout } = ociUnpackOk('file', 'export', '--image', replaced, 'disk/disk.img')
    expect(stdout).toBe('new')
    const below = imageOf('below', [one(raw), tar(directory('etc'), file('etc/x'))])
    ociUnpackOk('file', 'export', '--image', below, '--disk', join(work, 'below.img'))
    expect(readFileSync(join(work, 'below.img')).equals(raw)).toBe(true)
    const gone = imageOf('gone', [one(raw), removed])
    expectFailure(['--image', gone, '--disk', join(work, 'gone.img')], 'PATH_NOT_FOUND', '/disk')
    expect(existsSync(join(work, 'gone.img'))).toBe(false)
  })

  test('no disk, several disks, and disks that are links', () => {
    const none = imageOf('none', [tar(file('x'))])
    expectFailure(['--image', none, '--disk', join(work, 'none.img')], 'PATH_NOT_FOUND', '/disk')
    const two = imageOf('two', [tar(file('disk/b', 'b'), file('./disk/a', 'a'))])
    expectFailure(['--image', two, '--disk', '-'], 'PATH_INVALID', '/disk/a, /disk/b')
    const target = '/disk/a (symlink), /disk/below (directory)'
    const symbolic = imageOf('symbolic', [tar(symlink('disk/a', '/x'), directory('disk/below'))])
    expectFailure(['--image', symbolic, '--disk', '-'], 'PATH_NOT_FOUND', target)
    expectFailure(['--image', symbolic, '--disk', '-'], 'PATH_NOT_FOUND', 'instead of --disk')
    const linked = imageOf('linked', [tar(file('x', 'content'), hardlink('/disk/d', 'x'))])
    expect(ociUnpackOk('file', 'export', '--image', linked, '--disk', '-').stdout).toBe('content')
  })

  test('the same path twice in a layer: the last counts, and a stream cannot be taken back', () => {
    const twice = imageOf('twice', [tar(file('a', 'the first'), file('a', 'last'))])
    ociUnpackOk('file', 'export', '--image', twice, 'a', join(work, 'last'))
    expect(readFileSync(join(work, 'last'), 'utf8')).toBe('last')
    expectFailure(['--image', twice, 'a'], 'TARGET_INVALID', 'more than once')
  })

  test('layers are counted from 0 in JSON, and from 1 in texts', () => {
    const upper = { tar: one(raw), blob: gzipSync(one(raw), { level: 0 }) }
    const image = imageOf('counted', [tar(file('x')), upper])
    const described = ociUnpackOk('file', 'export', '--image', image, '--disk', '--json')
    expect(JSON.parse(described.stdout)).toMatchObject({ layer: 1 })
    damage('counted', 5 * MIB)
    expectFailure(['--image', image, '--disk', '-'], 'BLOB_DIGEST_MISMATCH', 'layer: 2 (sha256:')
    const args = ['file', 'export', '--progress', 'json', '--image', image, '--disk', '-']
    const error: unknown = JSON.parse(
      ociUnpack(...args)
        .stderr.trimEnd()
        .split('\n')
        .at(-1)!
    )
    expect(error).toMatchObject({
      facts: { layer: expect.stringMatching(/^2 \(sha256:/) as string }
    })
  })

  test('a damaged layer: no file, and a warning where bytes were written', () => {
    const image = imageOf('damaged', [{ tar: one(raw), blob: gzipSync(one(raw), { level: 0 }) }])
    damage('damaged', 5 * MIB)
    const output = join(work, 'damaged.img')
    expectFailure(['--image', image, '--disk', output], 'BLOB_DIGEST_MISMATCH', 'layer')
    expect(existsSync(output)).toBe(false)
    expectFailure(['--image', image, '--disk', '-'], 'BLOB_DIGEST_MISMATCH', 'must not be used')
    expect(readdirSync(work).filter((name) => name.includes('.oci-unpack-'))).toEqual([])
  })

  test('--stop-early reads no further than the file, and says so', () => {
    const layer = tar(file('disk/disk.img', raw), file('after', Buffer.alloc(2 * MIB, 'x')))
    const image = imageOf('early', [{ tar: layer, blob: gzipSync(layer, { level: 0 }) }])
    damage('early', 10 * MIB)
    const output = join(work, 'early.img')
    const args = ['file', 'export', '--image', image, '--disk', '--stop-early', '--json', output]
    const { stdout, stderr } = ociUnpackOk(...args)
    expect(stderr).toContain('was not verified')
    expect(stderr).not.toContain('()')
    expect(JSON.parse(stdout)).toMatchObject({ verified: false })
    expect(readFileSync(output).equals(raw)).toBe(true)
  })

  test.runIf(needs('strace'))('writes nothing anywhere but to its output', () => {
    const image = imageOf('scratch', [one(raw), tar(file('etc/x'))])
    const output = join(work, 'scratch.img')
    const calls = ['-e', 'trace=open,openat,openat2,creat,memfd_create', '-o', join(work, 'calls')]
    const args = ['file', 'export', '--image', image, '--disk', output]
    ok('strace', '-f', '-qq', ...calls, ...ociUnpackCommand, ...args)
    const traced = readFileSync(join(work, 'calls'), 'latin1').split('\n')
    const writing = traced.filter((call) => /O_WRONLY|O_RDWR|O_CREAT|creat/.test(call))
    expect(writing).toEqual([expect.stringContaining('.scratch.img.oci-unpack-')])
    expect(readFileSync(output).equals(raw)).toBe(true)
  })

  test('an existing file is never replaced', () => {
    const image = imageOf('exists', [one(raw)])
    writeFileSync(join(work, 'there'), 'mine')
    expectFailure(['--image', image, '--disk', join(work, 'there')], 'TARGET_INVALID', 'there')
    expect(readFileSync(join(work, 'there'), 'utf8')).toBe('mine')
  })

  test('--json without OUTPUT describes the file, with labels for KubeVirt', () => {
    const config = { config: { Env: ['PATH=/', 'INSTANCETYPE_KUBEVIRT_IO_DEFAULT_PREFERENCE=f'] } }
    const { reference } = buildImage(join(work, 'labels'), { layers: [one(raw)], config })
    const { stdout } = ociUnpackOk('file', 'export', '--image', reference, '--disk', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      path: '/disk/disk.img',
      layer: 0,
      size: raw.length,
      verified: true,
      disk: { format: 'raw', virtualSize: raw.length },
      labels: { 'instancetype.kubevirt.io/default-preference': 'f' }
    })
  })

  test('usage', () => {
    const image = imageOf('usage', [one(raw)])
    expectFailure(['--image', image], 'USAGE', '--disk')
    expectFailure(['--image', image, '--disk', 'a', 'b'], 'USAGE', 'PATH')
    expectFailure(['--image', image, '--disk', '--json', '-'], 'USAGE', '--json')
  })
})

describe.skipIf(!needs('qemu-img'))('disks of other formats', () => {
  const disk = join(work, 'source.raw')
  beforeAll(() => writeFileSync(disk, raw))

  test.each([
    ['qcow2', 'qcow2'],
    ['vmdk', 'vmdk'],
    ['vpc', 'vhd'],
    ['vdi', 'vdi']
  ])('%s is recognised, with its virtual size', (made, format) => {
    const path = join(work, `disk.${made}`)
    execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', made, disk, path])
    const info = JSON.parse(
      execFileSync('qemu-img', ['info', '--output=json', path]).toString()
    ) as { 'virtual-size': number }
    const image = imageOf(`image-${made}`, [one(readFileSync(path), 'disk/vm')])
    const { stdout } = ociUnpackOk('file', 'export', '--image', image, '--disk', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      disk: { format, virtualSize: info['virtual-size'] }
    })
  })

  test.each(['gzip', 'xz', 'zstd', 'bzip2'].filter((program) => needs(program)))(
    '--inflate inflates what %s has compressed',
    (program) => {
      const path = join(work, 'disk.qcow2')
      execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', disk, path])
      const packed = execFileSync(program, ['-c', path], { maxBuffer: 1 << 26 })
      const image = imageOf(`image-${program}`, [one(packed)])
      const output = join(work, `inflated-${program}`)
      const args = ['file', 'export', '--image', image, '--disk', '--inflate', '--json', output]
      expect(JSON.parse(ociUnpackOk(...args).stdout)).toMatchObject({
        compression: program,
        size: packed.length,
        outputSize: statSync(path).size,
        disk: { format: 'qcow2', virtualSize: raw.length }
      })
      expect(readFileSync(output).equals(readFileSync(path))).toBe(true)
      const cut = imageOf(`cut-${program}`, [one(packed.subarray(0, packed.length - 20))])
      const failing = ['--image', cut, '--disk', '--inflate', join(work, 'cut')]
      expectFailure(failing, 'COMPRESSION_INVALID', 'leave out --inflate to get it as it is')
      expect(ociUnpack('file', 'export', ...failing).stderr).not.toContain('not a valid layer')
      expect(existsSync(join(work, 'cut'))).toBe(false)
    }
  )
})

describe.skipIf(!needs('root', 'loop'))('a block device', () => {
  test('gets zeros where the file has holes, and keeps what is after the file', () => {
    const backing = join(work, 'backing')
    writeFileSync(backing, Buffer.alloc(raw.length + MIB, 0xee))
    const image = imageOf('device', [one(raw)])
    const device = ok('losetup', '--find', '--show', backing).stdout.trim()
    try {
      ociUnpackOk('file', 'export', '--image', image, '--disk', device)
    } finally {
      ok('losetup', '--detach', device)
    }
    const written = readFileSync(backing)
    expect(written.subarray(0, raw.length).equals(raw)).toBe(true)
    expect(written.subarray(raw.length).every((byte) => byte === 0xee)).toBe(true)
  })
})

describe.skipIf(!needs('root', 'loop'))('a block device that cannot take the file', () => {
  const image = imageOf('refused', [one(raw)])
  const old = Buffer.alloc(raw.length, 0xee)

  test.each([
    ['is too small', 'TARGET_TOO_SMALL', `at least ${raw.length} bytes`, raw.length - MIB, []],
    ['is read-only', 'TARGET_INVALID', 'read-only', raw.length, ['--read-only']]
  ])('because it %s stays as it was', (_, code, text, size, flags) => {
    const backing = join(work, code)
    writeFileSync(backing, old.subarray(0, size))
    const device = ok('losetup', ...flags, '--find', '--show', backing).stdout.trim()
    try {
      expectFailure(['--image', image, '--disk', device], code, text)
      const { stderr } = ociUnpack('file', 'export', '--image', image, '--disk', device)
      expect(stderr).not.toContain('must not be used')
    } finally {
      ok('losetup', '--detach', device)
    }
    expect(readFileSync(backing).equals(old.subarray(0, size))).toBe(true)
  })
})

test.skipIf(!needs('root', 'loop'))(
  'a device that is too small for what is inflated is told',
  () => {
    const backing = join(work, 'small')
    writeFileSync(backing, Buffer.alloc(MIB))
    const zeros = imageOf('zeros', [one(gzipSync(Buffer.alloc(4 * MIB)))])
    const device = ok('losetup', '--find', '--show', backing).stdout.trim()
    try {
      const args = ['--image', zeros, '--disk', '--inflate', device]
      expectFailure(args, 'TARGET_TOO_SMALL', 'What was written must not be used.')
    } finally {
      ok('losetup', '--detach', device)
    }
  }
)

describe('an output that cannot be', () => {
  const image = imageOf('places', [one(raw)])
  beforeAll(() => {
    mkdirSync(join(work, 'a-directory'))
    writeFileSync(join(work, 'a-file'), '')
  })

  test.each([
    ['a-directory', 'TARGET_INVALID', 'Name the new file, too: ', '/a-directory/disk.img.'],
    ['a-directory/', 'TARGET_INVALID', 'The output is a directory.', '/a-directory/disk.img.'],
    ['not-there/', 'TARGET_INVALID', 'not-there/', 'Leave out the slash'],
    ['not-there/.', 'TARGET_INVALID', 'not-there/.', 'Leave out the slash'],
    ['no-parent/disk', 'TARGET_INVALID', '/no-parent', 'Make the directory first.'],
    ['a-file/disk', 'SYSCALL_FAILED', 'a part of the path is not a directory', '/a-file/disk']
  ])('%s', (name, code, first, second) => {
    const output = `${work}/${name}`
    expectFailure(['--image', image, 'disk/disk.img', output], code, first)
    expectFailure(['--image', image, 'disk/disk.img', output], code, second)
    expect(existsSync(join(work, 'not-there'))).toBe(false)
    expect(readdirSync(join(work, 'a-directory'))).toEqual([])
  })

  test('because it is full', () => {
    expectFailure(['--image', image, '--disk', '/dev/full'], 'SYSCALL_FAILED', 'path: /dev/full')
    const { stderr } = ociUnpack('file', 'export', '--image', image, '--disk', '/dev/full')
    expect(stderr).toContain('The output cannot be written: no space left on the device.')
    expect(stderr).toContain('Free some space')
  })

  test.runIf(needs('root', 'setpriv'))('because its directory belongs to somebody else', () => {
    const directory = join(work, 'of-another')
    mkdirSync(directory)
    chownSync(directory, 1, 1)
    const args = ['file', 'export', '--image', image, '--disk', `${directory}/disk`]
    const { status, stderr } = run(...HEEDING_MODES, ...ociUnpackCommand, ...args)
    expect(status).toBe(1)
    expect(stderr).toContain('The output cannot be written: permission denied. [SYSCALL_FAILED]')
    expect(stderr).toContain(`path: ${directory}/disk\n`)
    expect(stderr).toContain('Give a place at which you may write.')
    expect(stderr).not.toContain('.oci-unpack-')
  })

  test.runIf(needs('root', 'loop'))('because it is a device that is in use', () => {
    const backing = join(work, 'in-use')
    writeFileSync(backing, Buffer.alloc(raw.length))
    const device = ok('losetup', '--find', '--show', backing).stdout.trim()
    const held = openSync(device, constants.O_RDWR | constants.O_EXCL)
    try {
      expectFailure(['--image', image, '--disk', device], 'TARGET_BUSY', `path: ${device}`)
      expectFailure(['--image', image, '--disk', device], 'TARGET_BUSY', 'Nothing was written.')
    } finally {
      closeSync(held)
      ok('losetup', '--detach', device)
    }
  })
})

describe('a FIFO', () => {
  const image = imageOf('fifo', [one(raw)])
  const path = join(work, 'a-fifo')
  const args = ['file', 'export', '--image', image, '--disk', path]
  beforeAll(() => void execFileSync('mkfifo', [path]))

  test('gets the file once somebody reads', () => {
    const script = '(sleep 0.5; cat "$0" >"$0.copy") & "$@" && wait'
    ok('sh', '-c', script, path, ...ociUnpackCommand, ...args)
    expect(readFileSync(`${path}.copy`).equals(raw)).toBe(true)
  })

  test.each([[], ['--inflate']])(
    'whose reader leaves is an error that says so (%s)',
    (...flags) => {
      const script = 'head -c 10 "$0" >/dev/null & "$@"; status=$?; wait; exit $status'
      const { status, stderr } = run(
        'sh',
        '-c',
        script,
        path,
        ...ociUnpackCommand,
        ...args,
        ...flags
      )
      expect(status).toBe(1)
      expectReaderGone(stderr, path)
    }
  )

  test('without a reader can be given up', () => {
    const { status } = run('timeout', '-k', '20', '1.5', ...ociUnpackCommand, ...args)
    expect(status).toBe(124) // 137 if only SIGKILL helped
  })
})

describe('file index', () => {
  test('makes one index for each blob, once', () => {
    const image = imageOf('indexed', [one(raw), one(raw), tar(file('x', 'y'))])
    const index = join(work, 'indexes')
    const { stdout } = ociUnpackOk('file', 'index', '--image', image, '--index', index, '--json')
    const made = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { file: string; isNew: boolean })
    expect(made.map(({ isNew }) => isNew)).toEqual([true, true, true])
    expect(readdirSync(index)).toHaveLength(2)
    const again = ociUnpackOk('file', 'index', '--image', image, '--index', index)
    expect(again.stdout.split('\n')[0]).toMatch(/^sha256:[0-9a-f]{64} \d+ \d+ \//)
  })
})

describe('a directory of indexes that cannot be used', () => {
  const image = imageOf('unusable', [one(raw)])
  const index = ['file', 'index', '--image', image]

  test('fails, because keeping indexes is all that the command does', () => {
    writeFileSync(join(work, 'no-directory'), '')
    const env = `XDG_CACHE_HOME=${join(work, 'no-directory')}`
    const { status, stdout, stderr } = run('env', env, ...ociUnpackCommand, ...index)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(/no-directory.*\[SYSCALL_FAILED\]/)
  })

  test('without a name is a mistake', () => {
    const { status, stderr } = ociUnpack(...index, '--index', '')
    expect(stderr).toContain('[USAGE]')
    expect(status).toBe(1)
  })
})

function imageOf(name: string, layers: readonly (Buffer | Layer)[]): string {
  return buildImage(join(work, name), { layers }).reference
}

function damage(name: string, at: number): void {
  const layout = join(work, name)
  const blobs = readdirSync(join(layout, 'blobs/sha256'))
    .map((blob) => blobPath(layout, { digest: `sha256:${blob}`, mediaType: '', size: 0 }))
    .sort((a, b) => statSync(b).size - statSync(a).size)
  const bytes = readFileSync(blobs[0]!)
  bytes[at]! ^= 1
  writeFileSync(blobs[0]!, bytes)
}

function expectReaderGone(stderr: string, name: string): void {
  expect(stderr).toContain('The reader of the output left before its end. [SYSCALL_FAILED]')
  expect(stderr).toContain(`path: ${name}\n`)
  expect(stderr).toContain('What was read must not be used')
}

function expectFailure(args: readonly string[], code: string, text: string): void {
  const { status, stderr } = ociUnpack('file', 'export', ...args)
  expect(stderr).toContain(`[${code}]`)
  expect(stderr).toContain(text)
  expect(status).toBe(1)
}
