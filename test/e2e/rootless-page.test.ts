/** Does what rootless.md says, to the letter, as an ordinary user. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeUser, removeUser, USER_TOOLS, type OrdinaryUser } from '../support/ordinary-user.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { removeTemporary } from '../support/temporary.ts'
import { buildPageImages } from './page-images.ts'
import { doStep, makePlace, readPage, stepsOf, titleOf } from './page.ts'

describe.runIf(needs(...USER_TOOLS, 'skopeo', 'jq', 'setfattr', 'getfattr'))('rootless.md', () => {
  const page = readPage('rootless.md')
  let user: OrdinaryUser
  let place = ''
  beforeAll(() => {
    user = makeUser()
    place = makePlace()
    buildPageImages(place)
    ok('chown', '-R', `${user.uid}:${user.gid}`, place)
  })
  afterAll(() => {
    removeTemporary(place)
    removeUser(user)
  })

  test.each(stepsOf(page).map((step) => [titleOf(step), step] as const))('%s', (_, step) => {
    doStep(place, step, user.command)
  })

  test('has CI jobs that run the script', () => {
    const jobs = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, job]) => job)
    expect(jobs).toHaveLength(2)
    for (const job of jobs) expect(job).toContain('sh build.sh')
  })
})
