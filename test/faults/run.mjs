// All faults, or as many as asked for, and what came of them:  npm run faults -- [--every K] [--seed N] [--only FILE]
//
// By default every seventh fault of every scenario, which other seeds shift; --every 1 takes all. The exit status is 1
// where anything failed; each failure is printed with what repeats it.
import { execFileSync, spawn } from 'node:child_process'
import console from 'node:console'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { URL } from 'node:url'
import { parseArgs } from 'node:util'

const WORKERS = 2
const KINDS = ['kills', 'errors', 'signals', 'races', 'crowds', 'obstacles', 'commands']

const { values } = parseArgs({
  options: {
    every: { type: 'string', default: '7' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string', default: '' }
  }
})

const home = mkdtempSync(join(tmpdir(), 'oci-unpack-faults-'))
chmodSync(home, 0o755) // other users have work to do in it
const record = join(home, 'record')
const env = {
  ...process.env,
  OCI_UNPACK_FAULTS: `every:${values.every}@${values.seed}`,
  OCI_UNPACK_FAULTS_RECORD: record,
  OCI_UNPACK_TEST_TMP: home
}

const vitest = new URL('../../node_modules/vitest/vitest.mjs', import.meta.url).pathname
const workers = `--maxWorkers=${WORKERS}`
const args = [vitest, 'run', workers, '--reporter=default', `test/faults/${values.only}`]
const child = spawn(process.execPath, args, { stdio: 'inherit', env, detached: true })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => process.kill(-child.pid, signal))
const [status] = await once(child, 'close')
print(lines())
cleanUp()
process.exitCode = status ?? 1

/** Workers that are interrupted do not unmount what they mounted. */
function cleanUp() {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // nobody of them is left
  }
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((point) => point?.startsWith(`${home}/`))
  for (const point of points.reverse()) execFileSync('umount', ['-l', point])
  rmSync(home, { recursive: true, force: true })
}

function lines() {
  const text = readFileSync(record, { encoding: 'utf8', flag: 'a+' })
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

function print(all) {
  const happened = all.filter(({ failure }) => failure === undefined)
  const failures = [...new Set(all.flatMap(({ failure }) => failure ?? []))]
  console.log(`\nOCI_UNPACK_FAULTS=${env.OCI_UNPACK_FAULTS}`)
  for (const kind of KINDS)
    console.log(`${kind.padEnd(10)} ${happened.filter(({ what }) => what === kind).length}`)
  console.log(`failures   ${failures.length}`)
  for (const failure of failures) {
    console.log(`\n  ${failure}`)
    const name = /^(.*?\/[A-Z]+\/\w+\/\d+) /.exec(failure)?.[1]
    if (name !== undefined)
      console.log(`  repeat: OCI_UNPACK_FAULT='${name}' npx vitest run test/faults`)
  }
}
