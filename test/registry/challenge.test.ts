/** What registries write into WWW-Authenticate. */
import { expect, test } from 'vitest'
import { parseChallenges } from '../../src/registry/challenge.ts'

const realm = 'https://auth.example/token'

test.each([
  ['Basic', [{ scheme: 'basic', parameters: {} }]],
  [
    `Bearer realm="${realm}",service="r",scope="repository:a/b:pull,push"`,
    [{ scheme: 'bearer', parameters: { realm, service: 'r', scope: 'repository:a/b:pull,push' } }]
  ],
  [
    `bearer REALM=${realm} , Service = "r"`,
    [{ scheme: 'bearer', parameters: { realm, service: 'r' } }]
  ],
  [
    `Bearer realm='${realm}',service=r`,
    [{ scheme: 'bearer', parameters: { realm, service: 'r' } }]
  ],
  [
    `Bearer realm="${realm}" service="r"`,
    [{ scheme: 'bearer', parameters: { realm, service: 'r' } }]
  ],
  [
    'Basic realm="say \\"no\\", please"',
    [{ scheme: 'basic', parameters: { realm: 'say "no", please' } }]
  ],
  [
    `Negotiate, Basic realm="a b", Bearer realm="${realm}"`,
    [
      { scheme: 'negotiate', parameters: {} },
      { scheme: 'basic', parameters: { realm: 'a b' } },
      { scheme: 'bearer', parameters: { realm } }
    ]
  ],
  [`Bearer realm="${realm}`, [{ scheme: 'bearer', parameters: { realm } }]],
  [`Bearer realm="${realm}",realm="https://other"`, [{ scheme: 'bearer', parameters: { realm } }]],
  [', ,', []],
  ['="', []],
  ['realm="x"', []],
  ['', []]
])('%s', (header, expected) => {
  expect(parseChallenges(header)).toEqual(expected)
})

test('takes no longer for a long header than for a short one', () => {
  const begun = Date.now()
  parseChallenges('a="\\'.repeat(4000))
  parseChallenges(`Bearer ${' ,="'.repeat(4000)}`)
  expect(Date.now() - begun).toBeLessThan(1000)
})
