import { expect, test } from 'vitest'
import { settingsForUnnamed } from '../../src/registry/named-host.ts'

test('what a user says about one registry is not said about others', () => {
  const settings = {
    authfile: 'auth.json',
    credentials: { username: 'alice', password: 'hush' },
    tlsVerify: false,
    certDir: 'certs'
  }
  expect(settingsForUnnamed(settings)).toEqual({ authfile: 'auth.json' })
  expect(settingsForUnnamed(undefined)).toEqual({})
})
