import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRuntimeConfig, formatRuntimeConfig } from '../../src/bundle/runtime-config.ts'
import type { RuntimeConfigOptions } from '../../src/bundle/runtime-config.ts'
import { install } from '../support/install.ts'
import { needs } from '../support/requires.ts'

const SCRIPT = 'id; echo "$HOME $A"; pwd; touch /data/x && echo written'

describe.skipIf(!needs('runc', 'ldd', 'root'))('runc', () => {
  let bundle = ''

  beforeAll(() => {
    bundle = mkdtempSync(join(tmpdir(), 'oci-unpack-runc-'))
    for (const directory of ['proc', 'dev', 'sys', 'data', 'app']) {
      mkdirSync(join(bundle, 'rootfs', directory), { recursive: true })
    }
    chmodSync(join(bundle, 'rootfs/data'), 0o777)
    for (const program of ['/bin/sh', '/usr/bin/id', '/usr/bin/touch'])
      install(join(bundle, 'rootfs'), program)
  })

  afterAll(() => rmSync(bundle, { recursive: true }))

  test('runs a bundle with our configuration', () => {
    expect(run({}).trim().split('\n')).toEqual([
      'uid=5 gid=6 groups=6,4',
      '/app <&>',
      '/app',
      'written'
    ])
  })

  test('runs it in a user namespace where ids are mapped', () => {
    const maps = [{ containerId: 0, hostId: 0, size: 65_536 }]
    expect(run({ uidMaps: maps, gidMaps: maps })).toContain('uid=5 gid=6')
    expect(existsSync(join(bundle, 'rootfs/data/x'))).toBe(false)
  })

  function run(more: Partial<RuntimeConfigOptions>): string {
    const spec = createRuntimeConfig({
      image: {
        os: 'linux',
        config: {
          User: 'app',
          Env: ['A=<&>'],
          Entrypoint: ['/bin/sh', '-c'],
          Cmd: [SCRIPT],
          WorkingDir: '/app',
          Volumes: { '/data': {} }
        }
      },
      rootPath: 'rootfs',
      accounts: { passwd: 'app:x:5:6::/app:', group: 'adm:x:4:app' },
      uidMaps: [],
      gidMaps: [],
      rootless: undefined,
      ...more
    })
    spec.process.terminal = false
    writeFileSync(join(bundle, 'config.json'), formatRuntimeConfig(spec))
    const name = `oci-unpack-test-${process.pid}`
    return execFileSync('runc', ['run', '--bundle', bundle, name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe']
    })
  }
})
