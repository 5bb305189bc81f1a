import { expect, test } from 'vitest'
import { fullDockerName } from '../../src/image/docker-name.ts'

test.each([
  ['debian', 'docker.io/library/debian:latest'],
  ['debian:12', 'docker.io/library/debian:12'],
  ['user/app', 'docker.io/user/app:latest'],
  ['localhost/app:1', 'localhost/app:1'],
  ['host:5000/app', 'host:5000/app:latest'],
  ['quay.io/a/b:c', 'quay.io/a/b:c']
])('%s is %s', (name, full) => {
  expect(fullDockerName(name)).toBe(full)
  expect(fullDockerName(full)).toBe(full)
})
