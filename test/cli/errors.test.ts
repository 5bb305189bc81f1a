import { expect, test } from 'vitest'
import { formatError } from '../../src/cli/errors.ts'
import { OciUnpackError } from '../../src/errors.ts'

test('an error is a paragraph: sentence and code, facts in their order, what to do', () => {
  const error = new OciUnpackError('DIFF_ID_MISMATCH', 'The layer is not what the config says.', {
    facts: { found: 'sha256:b', expected: 'sha256:a', layer: '2 (sha256:c)', image: 'l:t' },
    hint: 'Fetch the image again.'
  })
  expect(formatError(error, false)).toBe(
    [
      'oci-unpack: The layer is not what the config says. [DIFF_ID_MISMATCH]',
      '  image: l:t',
      '  layer: 2 (sha256:c)',
      '  expected: sha256:a',
      '  found: sha256:b',
      '  Fetch the image again.',
      ''
    ].join('\n')
  )
})

test('without facts and hint it is one line', () => {
  expect(formatError(new OciUnpackError('ABORTED', 'The operation was stopped.'), false)).toBe(
    'oci-unpack: The operation was stopped. [ABORTED]\n'
  )
})

test('a fact of zero is a fact', () => {
  const error = new OciUnpackError('TAR_INVALID', 'A tar header is bad.', { facts: { offset: 0 } })
  expect(formatError(error, false)).toContain('\n  offset: 0\n')
})

test('further lines of a fact stand below its name', () => {
  const error = new OciUnpackError('HOOK_FAILED', 'A hook failed.', { facts: { stderr: 'a\nb' } })
  expect(formatError(error, false)).toContain('\n  stderr: a\n    b\n')
})

test('a stack, with that of the cause, is for those who ask', () => {
  const cause = new Error('below')
  const error = new OciUnpackError('BLOB_INVALID', 'A blob is bad.', { cause })
  expect(formatError(error, false)).not.toMatch(/^\s+at /m)
  expect(formatError(error, true)).toMatch(/^\s+at [^]*caused by Error: below\n\s+at /m)
})

test.each([new Error('oops'), 'oops', null])('anything else is a defect: %s', (thrown) => {
  const text = formatError(thrown, false)
  expect(text).toMatch(/^oci-unpack: internal error: /)
  expect(text).toContain('  This is a bug: please report it.\n')
})
