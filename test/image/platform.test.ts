import { describe, expect, test } from 'vitest'
import {
  hostPlatform,
  parsePlatform,
  platformDistance,
  platformText
} from '../../src/image/platform.ts'
import { failureCode } from './errors.ts'

describe('parsePlatform', () => {
  test.each([
    ['linux/amd64', { os: 'linux', architecture: 'amd64' }],
    ['linux/arm/v7', { os: 'linux', architecture: 'arm', variant: 'v7' }],
    ['Linux/X86_64', { os: 'linux', architecture: 'amd64' }],
    ['linux/aarch64', { os: 'linux', architecture: 'arm64' }],
    ['linux/armhf', { os: 'linux', architecture: 'arm', variant: 'v7' }],
    ['linux/armel', { os: 'linux', architecture: 'arm', variant: 'v6' }],
    ['linux/i386', { os: 'linux', architecture: '386' }]
  ])('reads %s', (text, platform) => {
    expect(parsePlatform(text)).toEqual(platform)
  })

  test.each(['', 'linux', 'linux/', '/amd64', 'a/b/c/d', 'linux/a b', 'linux/arm/'])(
    'refuses %j',
    (text) => {
      expect(failureCode(() => parsePlatform(text))).toBe('USAGE')
    }
  )
})

describe('hostPlatform', () => {
  test.each([
    ['x64', undefined, 'linux/amd64'],
    ['ia32', undefined, 'linux/386'],
    ['arm64', undefined, 'linux/arm64'],
    ['arm', '6', 'linux/arm/v6'],
    ['arm', undefined, 'linux/arm'],
    ['ppc64', undefined, 'linux/ppc64le'],
    ['riscv64', undefined, 'linux/riscv64'],
    ['s390x', undefined, 'linux/s390x']
  ])('names %s as Go does', (arch, armVersion, text) => {
    expect(platformText(hostPlatform('linux', arch, armVersion))).toBe(text)
  })
})

describe('platformDistance', () => {
  const distance = (wanted: string, offered: string) =>
    platformDistance(parsePlatform(wanted), parsePlatform(offered))

  test.each([
    ['linux/arm64', 'linux/arm64', 'linux/arm64/v8'],
    ['linux/arm64/v8', 'linux/arm64/v8', 'linux/arm64'],
    ['linux/arm', 'linux/arm', 'linux/arm/v7'],
    ['linux/arm', 'linux/arm/v7', 'linux/arm/v6'],
    ['linux/arm/v7', 'linux/arm/v7', 'linux/arm'],
    ['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5'],
    ['linux/amd64/v3', 'linux/amd64/v2', 'linux/amd64'],
    ['linux/arm64/v9', 'linux/arm64/v8.2', 'linux/arm64'],
    ['linux/mips', 'linux/mips', 'linux/mips/softfloat']
  ])('for %s prefers %s to %s', (wanted, better, worse) => {
    expect(distance(wanted, better)).toBeLessThan(distance(wanted, worse)!)
  })

  test.each([
    ['linux/amd64', 'linux/arm64'],
    ['linux/amd64', 'windows/amd64'],
    ['linux/arm/v6', 'linux/arm/v7'],
    ['linux/arm/v6', 'linux/arm'],
    ['linux/arm64', 'linux/arm64/v9'],
    ['linux/amd64', 'linux/amd64/v3'],
    ['linux/mips/softfloat', 'linux/mips'],
    ['linux/arm64', 'linux/arm']
  ])('says that %s cannot run %s', (wanted, offered) => {
    expect(distance(wanted, offered)).toBeUndefined()
  })

  test('takes an empty variant for none', () => {
    const offered = { os: 'linux', architecture: 'arm64', variant: '' }
    expect(platformDistance(parsePlatform('linux/arm64'), offered)).toBe(0)
  })
})
