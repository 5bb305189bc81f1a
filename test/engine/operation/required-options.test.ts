/** What JavaScript callers forget is an error of the library's own kind, whichever function they call. */
import { describe, expect, test } from 'vitest'
import { library } from '../../support/dist.ts'

/** They take no object of options, or one in which nothing must be given. */
const OTHERS = [
  'OciUnpackError',
  'describeHooks',
  'hookTestCases',
  'imageFileStream',
  'parseIdMap',
  'statJson',
  'testHooks'
]

const functions = Object.entries(library).filter(([name]) => !OTHERS.includes(name)) as [
  string,
  (options?: unknown) => unknown
][]

describe.each(functions)('%s', (_name, act) => {
  const failureOf = async (options?: unknown): Promise<unknown> => {
    const called = act(options)
    return (called as Promise<unknown>).catch((error: unknown) => error)
  }

  test('needs options', async () => {
    for (const options of [undefined, null, 'layout:tag', {}]) {
      const error = await failureOf(options)
      expect(error).toBeInstanceOf(library.OciUnpackError)
      expect(error).toMatchObject({ code: 'USAGE' })
    }
  })
})

test.each([
  ['unpack', { image: 'layout' }, 'destination', 'nothing'],
  ['unpack', { image: 5, destination: 'bundle' }, 'image', 'number'],
  ['repack', { image: 'layout', bundle: ['bundle'] }, 'bundle', 'list'],
  ['configureImage', { image: 'layout', changes: 'none' }, 'changes', 'text'],
  ['collectStore', { layouts: 'layout', hooks: {} }, 'layouts', 'text']
])('%s(%j) names the option %s', async (name, options, option, found) => {
  const [, act] = functions.find(([own]) => own === name)!
  await expect(act(options)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining(`option ${option} must`) as string,
    facts: { found }
  })
})
