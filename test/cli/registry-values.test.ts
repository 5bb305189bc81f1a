/** Flags and variables for registries, as settings of the library. */
import { afterEach, expect, test, vi } from 'vitest'
import type { Input, Terminal } from '../../src/cli/command.ts'
import { registryOption, twoRegistriesOptions } from '../../src/cli/registry-values.ts'

const VARIABLES = ['OCI_UNPACK_CREDS', 'OCI_UNPACK_SRC_CREDS', 'OCI_UNPACK_DEST_CREDS']
const terminal = { signal: new AbortController().signal } as Terminal

afterEach(() => {
  for (const name of VARIABLES) Reflect.deleteProperty(process.env, name)
})

test.each<[Input['flags'], object]>([
  [{}, {}],
  [
    { authfile: '/a', 'cert-dir': '/c' },
    { authfile: '/a', certDir: '/c' }
  ],
  [{ 'tls-verify': 'false' }, { tlsVerify: false }],
  [{ 'tls-verify': 'true' }, { tlsVerify: true }],
  [{ creds: 'me' }, { credentials: { username: 'me', password: '' } }],
  [{ creds: 'me:a:b' }, { credentials: { username: 'me', password: 'a:b' } }],
  [{ creds: 'me: spaces ' }, { credentials: { username: 'me', password: ' spaces ' } }]
])('%j', async (flags, settings) => {
  expect(await registryOption({ positionals: [], flags }, terminal)).toEqual({ registry: settings })
})

test('a variable is for programs like this one, but not for those that it starts', async () => {
  const credentials = { username: 'me', password: 'x' }
  const option = (flags: Input['flags']): Promise<object> => {
    process.env.OCI_UNPACK_CREDS = 'me:x'
    return registryOption({ positionals: [], flags }, terminal)
  }
  expect(await option({})).toEqual({ registry: { credentials } })
  expect(process.env.OCI_UNPACK_CREDS).toBeUndefined()
  const other = { username: 'you', password: '' }
  expect(await option({ creds: 'you' })).toEqual({ registry: { credentials: other } })
  process.env.OCI_UNPACK_CREDS = ''
  expect(await registryOption({ positionals: [], flags: {} }, terminal)).toEqual({ registry: {} })
})

test.each([
  ['docker://host/a', {}, 1],
  ['docker://host/a', { 'dest-creds': 'me' }, 0],
  ['layout:a', {}, 0]
])(
  'where there are two, %s with %j says that the variable for one is not used: %i',
  async (source, flags, count) => {
    process.env.OCI_UNPACK_CREDS = 'not:used'
    const log = { level: 'warn' as const, write: vi.fn() }
    await twoRegistriesOptions({ positionals: [source, 'l:a'], flags }, { ...terminal, log })
    expect(log.write).toHaveBeenCalledTimes(count)
    expect(process.env.OCI_UNPACK_CREDS).toBeUndefined()
  }
)

test('what is for one of two registries is not for the other', async () => {
  process.env.OCI_UNPACK_CREDS = 'not:used'
  process.env.OCI_UNPACK_SRC_CREDS = 'me:x'
  const flags = { authfile: '/both', 'dest-authfile': '/dest', 'dest-creds': 'you:y' }
  expect(await twoRegistriesOptions({ positionals: [], flags }, terminal)).toEqual({
    sourceRegistry: { authfile: '/both', credentials: { username: 'me', password: 'x' } },
    destinationRegistry: { authfile: '/dest', credentials: { username: 'you', password: 'y' } }
  })
})
