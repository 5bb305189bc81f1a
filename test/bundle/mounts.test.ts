import { describe, expect, test } from 'vitest'
import { defaultMounts, rootlessMounts, volumeMounts } from '../../src/bundle/mounts.ts'

describe('volumeMounts', () => {
  test('are tmpfs in the order of their paths', () => {
    const mounts = volumeMounts({ '/data': {}, '/cache': {} })
    expect(mounts.map(({ destination }) => destination)).toEqual(['/cache', '/data'])
    expect(mounts[0]).toEqual({
      destination: '/cache',
      type: 'tmpfs',
      source: 'none',
      options: ['rw', 'nosuid', 'nodev', 'noexec', 'relatime']
    })
  })

  test.each<[volumes: string[], destinations: string[]]>([
    [['data'], ['/data']],
    [['./data/sub/'], ['/data/sub']],
    [['/data', '/data/', 'data', '//data/.'], ['/data']],
    [['/var/../srv/./x'], ['/srv/x']],
    [['/../../etc'], ['/etc']],
    [['', '/', '.', '..', '/a/..'], []],
    [
      ['/b', 'a', '/a/b'],
      ['/a', '/a/b', '/b']
    ],
    [
      ['/with space', '/..data', '/ü'],
      ['/..data', '/with space', '/ü']
    ]
  ])('%j are mounted at %j', (volumes, destinations) => {
    const mounts = volumeMounts(Object.fromEntries(volumes.map((path) => [path, {}])))
    expect(mounts.map(({ destination }) => destination)).toEqual(destinations)
  })
})

describe('rootlessMounts', () => {
  const mounts = [...defaultMounts(), ...volumeMounts({ '/system': {} })]

  test('bind /sys and resolv.conf from the host and name no owners', () => {
    const result = rootlessMounts(mounts, { resolvConfFlags: ['nodev', 'relatime'] })
    expect(result.map(({ destination }) => destination)).toEqual([
      '/proc',
      '/dev',
      '/dev/pts',
      '/dev/shm',
      '/dev/mqueue',
      '/system',
      '/sys',
      '/etc/resolv.conf'
    ])
    expect(result.flatMap(({ options }) => options ?? [])).not.toContain('gid=5')
    expect(result.at(-1)!.options).toEqual(['nodev', 'relatime', 'rbind', 'ro'])
  })

  test('are rewritten also on a host without resolv.conf', () => {
    const result = rootlessMounts(mounts, { resolvConfFlags: undefined })
    expect(result.at(-1)).toMatchObject({ destination: '/sys', type: 'bind' })
  })
})
