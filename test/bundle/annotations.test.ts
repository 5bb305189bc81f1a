import { describe, expect, test } from 'vitest'
import { imageAnnotations } from '../../src/bundle/annotations.ts'

const PREFIX = 'org.opencontainers.image'

describe('imageAnnotations', () => {
  test('says all that conversion.md asks for', () => {
    const image = {
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
      'os.version': '10.0',
      'os.features': ['a', 'b'],
      author: 'A <a@b>',
      created: '2026-01-01T00:00:00.5+01:00',
      config: { StopSignal: 'SIGINT', ExposedPorts: { '80/tcp': {}, '53/udp': {} } }
    }
    expect(imageAnnotations(image)).toEqual({
      [`${PREFIX}.architecture`]: 'arm64',
      [`${PREFIX}.author`]: 'A <a@b>',
      [`${PREFIX}.created`]: '2026-01-01T00:00:00.5+01:00',
      [`${PREFIX}.exposedPorts`]: '53/udp,80/tcp',
      [`${PREFIX}.os`]: 'linux',
      [`${PREFIX}.os.features`]: 'a,b',
      [`${PREFIX}.os.version`]: '10.0',
      [`${PREFIX}.stopSignal`]: 'SIGINT',
      [`${PREFIX}.variant`]: 'v8'
    })
  })

  test('invents nothing, not even a time of creation', () => {
    const image = { os: 'linux', author: '', created: null, config: { ExposedPorts: {} } }
    expect(imageAnnotations(image)).toEqual({ [`${PREFIX}.os`]: 'linux' })
  })

  test('lets labels win and sorts them by their UTF-8 bytes', () => {
    const Labels = { '\u{1f600}': '1', '\uffee': '2', [`${PREFIX}.os`]: 'mine', a: '' }
    const annotations = imageAnnotations({ os: 'linux', config: { Labels } })
    expect(Object.entries(annotations)).toEqual([
      ['a', ''],
      [`${PREFIX}.os`, 'mine'],
      ['\uffee', '2'],
      ['\u{1f600}', '1']
    ])
  })
})
