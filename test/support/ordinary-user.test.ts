/** The account that tests of ordinary users get. */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { USER_TOOLS, withUser } from './ordinary-user.ts'
import { needs } from './requires.ts'
import { run } from './run.ts'

describe.runIf(needs(...USER_TOOLS))('an ordinary user', () => {
  test('has a home, an environment, subordinate ids and no privileges', () =>
    withUser(({ name, uid, gid, home, subuid, subgid, run }) => {
      expect(run('id').stdout).toBe(
        `uid=${uid}(${name}) gid=${gid}(${name}) groups=${gid}(${name})\n`
      )
      const script = 'pwd; echo $HOME; touch here; ls -A ~; grep CapEff /proc/self/status; env'
      const { stdout } = run('sh', '-c', script)
      expect(stdout).toMatch(new RegExp(`^${home}\n${home}\nhere\nCapEff:\t0{16}\n`))
      expect(stdout).not.toContain('VITEST')
      expect(subuid).toBeGreaterThan(uid)
      expect(subgid).toBeGreaterThan(gid)
    }))

  test('is removed after a failure too, with what it has made', async () => {
    let left = { name: '', home: '' }
    const failed = withUser((user) => {
      left = user
      user.run('sh', '-c', 'mkdir -p a/b; touch a/b/c; chmod 000 a/b a')
      throw new Error('wanted')
    })
    await expect(failed).rejects.toThrow('wanted')
    expect(existsSync(left.home)).toBe(false)
    expect(run('id', left.name).status).toBe(1)
    expect(readFileSync('/etc/subuid', 'utf8')).not.toContain(left.name)
  })
})
