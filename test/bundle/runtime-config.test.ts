import { describe, expect, test } from 'vitest'
import type { ImageConfig } from '../../src/bundle/image-config.ts'
import {
  checkRuntimeConfig,
  createRuntimeConfig,
  formatRuntimeConfig
} from '../../src/bundle/runtime-config.ts'
import type { RuntimeConfigOptions } from '../../src/bundle/runtime-config.ts'
import type { RuntimeSpec } from '../../src/bundle/runtime-spec.ts'

const ACCOUNTS = { passwd: 'root:x:0:0::/root:\napp:x:5:6::/app:', group: 'adm:x:4:app' }

function create(image: ImageConfig, more: Partial<RuntimeConfigOptions> = {}): RuntimeSpec {
  return createRuntimeConfig({
    image: { os: 'linux', ...image },
    rootPath: 'rootfs',
    accounts: ACCOUNTS,
    uidMaps: [],
    gidMaps: [],
    rootless: undefined,
    ...more
  })
}

describe('createRuntimeConfig', () => {
  test('gives a shell to an image that says nothing', () => {
    const { process, root, annotations, mounts } = create({ config: null }, { accounts: undefined })
    expect(process).toMatchObject({ args: ['sh'], cwd: '/', user: { uid: 0, gid: 0 } })
    expect(process.env.map((variable) => variable.split('=')[0])).toEqual(['PATH', 'TERM'])
    expect(root).toEqual({ path: 'rootfs' })
    expect(annotations).toEqual({ 'org.opencontainers.image.os': 'linux' })
    expect(mounts).toHaveLength(7)
  })

  test('runs Entrypoint and Cmd where the image wants it, as whom it wants', () => {
    const config = { User: 'app', Entrypoint: ['/e', ''], Cmd: ['c'], WorkingDir: 'w/../x' }
    expect(create({ config }).process).toMatchObject({
      args: ['/e', '', 'c'],
      cwd: 'w/../x',
      user: { uid: 5, gid: 6, additionalGids: [4] }
    })
  })

  test('adds HOME from passwd only where the image sets none', () => {
    expect(create({}).process.env.at(-1)).toBe('HOME=/root')
    const own = create({ config: { Env: ['HOME='] } })
    expect(own.process.env.filter((variable) => variable.startsWith('HOME'))).toEqual(['HOME='])
  })

  test('leaves out a home that JSON cannot hold', () => {
    const accounts = { passwd: 'root:x:0:0::/r\xff:', group: undefined }
    expect(create({}, { accounts }).process.env).toHaveLength(2)
  })

  test('keeps numeric users and drops names where there is no root file system', () => {
    const user = (User: string) =>
      create({ config: { User } }, { accounts: undefined }).process.user
    expect(user('7:8')).toEqual({ uid: 7, gid: 8 })
    expect(user('7:adm')).toEqual({ uid: 0, gid: 0 })
    expect(user('app')).toEqual({ uid: 0, gid: 0 })
  })

  test('puts a user namespace last where ids are mapped, users staying as the container sees them', () => {
    const uidMaps = [{ containerId: 0, hostId: 100_000, size: 65_536 }]
    const { linux, process } = create({ config: { User: 'app' } }, { uidMaps })
    expect(Object.keys(linux)[0]).toBe('uidMappings')
    expect(linux.uidMappings).toEqual([{ containerID: 0, hostID: 100_000, size: 65_536 }])
    expect(linux.gidMappings).toBeUndefined()
    expect(linux.namespaces.at(-1)).toEqual({ type: 'user' })
    expect(process.user.uid).toBe(5)
  })

  test('takes away what rootless containers cannot have', () => {
    const maps = [{ containerId: 0, hostId: 1000, size: 1 }]
    const rootless = { resolvConfFlags: [] }
    const spec = create({ config: { User: 'app' } }, { uidMaps: maps, gidMaps: maps, rootless })
    expect(spec.process.user).toEqual({ uid: 5, gid: 6 })
    expect(spec.linux.resources).toBeUndefined()
    expect(spec.linux.namespaces.map(({ type }) => type)).toEqual([
      'cgroup',
      'pid',
      'ipc',
      'uts',
      'mount',
      'user'
    ])
    expect(spec.mounts.at(-1)!.destination).toBe('/etc/resolv.conf')
  })

  test('gives every caller an object of its own', () => {
    create({}).process.args.push('changed')
    expect(create({}).process.args).toEqual(['sh'])
  })

  test('reports a user that the image does not have', () => {
    expect(() => create({ config: { User: 'nobody' } })).toThrow(
      expect.objectContaining({ code: 'USER_NOT_FOUND' })
    )
  })
})

describe('checkRuntimeConfig', () => {
  test.each<ImageConfig>([
    { os: 'windows' },
    { os: 'linux', config: { Env: ['X'] } },
    { os: 'linux', config: { User: '4294967295' } }
  ])('refuses %j before anything is unpacked', (image) => {
    expect(() => checkRuntimeConfig(image)).toThrow(
      expect.objectContaining({ code: 'CONFIG_UNSUPPORTED' })
    )
  })

  test.each<ImageConfig>([{}, { os: '' }, { os: null }])(
    'accepts an image without os: %j',
    (image) => {
      expect(() => checkRuntimeConfig(image)).not.toThrow()
    }
  )

  test('accepts what only the root file system can decide', () => {
    expect(() => checkRuntimeConfig({ os: 'linux', config: { User: 'app:adm' } })).not.toThrow()
  })
})

describe('formatRuntimeConfig', () => {
  test('prints the keys in the order of the runtime-spec structs, indented by tabs', () => {
    const text = formatRuntimeConfig(create({}))
    expect(text).toMatch(
      /^\{\n\t"ociVersion": "1\.0\.2",\n\t"process": \{\n\t\t"terminal": true,\n/
    )
    expect(text).toMatch(/\]\n\t\}\n\}\n$/)
    expect(Object.keys(JSON.parse(text) as object)).toEqual([
      'ociVersion',
      'process',
      'root',
      'hostname',
      'mounts',
      'annotations',
      'linux'
    ])
  })
})
