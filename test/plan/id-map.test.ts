import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { idNotMapped, parseIdMap, toContainer, toHost } from '../../src/plan/id-map.ts'

describe('parseIdMap', () => {
  test('reads container:host:size', () => {
    expect(parseIdMap('0:100000:65536')).toEqual({ containerId: 0, hostId: 100_000, size: 65_536 })
  })

  test('maps one id where no size is given', () => {
    expect(parseIdMap('5:1000')).toEqual({ containerId: 5, hostId: 1000, size: 1 })
  })

  test('reaches the last id there is', () => {
    expect(parseIdMap('0:4294967294:1').hostId).toBe(4_294_967_294)
    expect(parseIdMap('0:0:4294967295').size).toBe(4_294_967_295)
  })

  test.each(['', '0', '0:', ':0', '0:0:', '0:0:1:1', '-1:0', '+1:0', '0x1:0', ' 0:0', '0:0:0'])(
    'refuses the form %j',
    (text) => {
      expect(() => parseIdMap(text)).toThrow(expect.objectContaining({ code: 'USAGE' }))
    }
  )

  test.each(['4294967295:0', '0:4294967295', '0:4294967294:2', '1:0:4294967295', '99999999999:0'])(
    'refuses %j, which leaves the range of ids',
    (text) => {
      expect(() => parseIdMap(text)).toThrow(expect.objectContaining({ code: 'USAGE' }))
    }
  )
})

describe('toHost and toContainer', () => {
  const maps = [parseIdMap('0:1000:1'), parseIdMap('1:100000:10'), parseIdMap('0:5:20')]

  test('are the identity without mappings', () => {
    expect(toHost([], 7)).toBe(7)
    expect(toContainer([], 7)).toBe(7)
  })

  test('take the first mapping that holds the id', () => {
    expect(toHost(maps, 0)).toBe(1000)
    expect(toHost(maps, 10)).toBe(100_009)
    expect(toHost(maps, 11)).toBe(16)
    expect(toContainer(maps, 100_009)).toBe(10)
  })

  test('do not know ids outside of all mappings', () => {
    expect(toHost(maps, 20)).toBeUndefined()
    expect(toContainer(maps, 999)).toBeUndefined()
  })

  test('undo each other under one mapping', () => {
    const id = fc.nat({ max: 0x7fff_ffff })
    fc.assert(
      fc.property(
        id,
        id,
        fc.integer({ min: 1, max: 1e6 }),
        fc.nat(),
        (inside, outside, size, n) => {
          const map = [{ containerId: inside, hostId: outside, size }]
          const host = toHost(map, inside + (n % size))
          expect(toContainer(map, host!)).toBe(inside + (n % size))
        }
      )
    )
  })

  test('has an error that names the option to give', () => {
    expect(idNotMapped('gid', 'host', 42)).toMatchObject({
      code: 'ID_NOT_MAPPED',
      message: expect.stringContaining('host gid 42') as unknown,
      hint: expect.stringContaining('gidMap') as unknown
    })
  })
})
