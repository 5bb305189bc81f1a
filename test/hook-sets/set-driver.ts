/** Calls a hook set's program as the engine does, with the environment of the contract and nothing else. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownerDirectory } from '../../src/hooks/lock-directory.ts'
import { Owner } from '../../src/hooks/owner.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { expectOk, ok, type Run } from '../support/run.ts'

const hooks = new URL('../../hooks/', import.meta.url).pathname
const treeScript = new URL('tree.sh', import.meta.url).pathname

export type SetName = 'lvm-thin' | 'overlay' | 'pool'

export interface Layer {
  key: string
  /** Writes the layer: what it adds (`layer`), or its change to the parent's state (`chain`). */
  write: (target: string) => void
}

/** A layer whose key follows from a label. */
export function layer(label: string, write: Layer['write']): Layer {
  return { key: keyOf(label), write }
}

export function keyOf(label: string): string {
  return `sha256:${createHash('sha256').update(label).digest('hex')}`
}

export function makeTree(target: string): void {
  ok('bash', treeScript, 'make', target)
}

export function changeTree(target: string): void {
  ok('bash', treeScript, 'change', target)
}

export interface Unpacked {
  /** Labels of no layer: the keys that were extracted, not skipped. */
  extracted: string[]
  targets: string[]
}

/** One store, one bundle. */
export class SetDriver {
  readonly store: string
  readonly bundle: string
  readonly rootfs: string
  readonly state: string
  private readonly set: SetName
  private readonly env: Record<string, string>
  private readonly owner = new Owner()

  constructor(set: SetName, store: string, bundle: string, env: Record<string, string> = {}) {
    this.set = set
    this.store = store
    this.bundle = bundle
    this.rootfs = join(bundle, 'rootfs')
    this.state = join(bundle, '.oci-unpack')
    this.env = env
    mkdirSync(this.state, { recursive: true, mode: 0o700 })
  }

  call(verb: string, env: Record<string, string> = {}, ...args: string[]): Run {
    return this.start(join(hooks, this.set, this.set), [verb, ...args], env)
  }

  /** What a call by hand prints, line by line. */
  run(verb: string, ...args: string[]): string[] {
    const { stdout } = expectOk(this.call(verb, {}, ...args), verb)
    return stdout.split('\n').filter(Boolean)
  }

  /** For an engine that has ended when this returns. */
  callAsDead(verb: string, env: Record<string, string> = {}): Run {
    const owner = join(ownerDirectory(), 'owner-dead')
    writeFileSync(owner, '')
    return this.call(verb, { OCI_UNPACK_OWNER: owner, ...env })
  }

  /** post-extract of all these staged directories at once: what each printed. */
  commitTogether(staged: readonly string[], env: Record<string, string>): string[] {
    const script =
      'program=$1; shift; jobs=; for target; do OCI_UNPACK_TARGET=$target "$program" post-extract & jobs="$jobs $!"; done; ' +
      'for job in $jobs; do wait "$job" || exit; done'
    const program = join(hooks, this.set, this.set)
    const result = this.start('sh', ['-c', script, 'sh', program, ...staged], env)
    return expectOk(result, 'post-extract').stdout.trimEnd().split('\n')
  }

  must(verb: string, env: Record<string, string> = {}): string {
    return expectOk(this.call(verb, env), verb).stdout.trimEnd()
  }

  unpack(layers: readonly Layer[]): Unpacked {
    this.must('prepare')
    const unpacked: Unpacked = { extracted: [], targets: [] }
    layers.forEach((it, index) => {
      const env = environmentOf(layers, index)
      const skip = this.call('try-skip', env)
      if (skip.status === 10) {
        unpacked.extracted.push(it.key)
        unpacked.targets.push(this.extract(it, env))
      } else unpacked.targets.push(expectOk(skip, 'try-skip').stdout.trimEnd())
    })
    this.must('finish', { OCI_UNPACK_LAYER_TARGETS: unpacked.targets.join('\n') })
    return unpacked
  }

  private extract({ write }: Layer, env: Record<string, string>): string {
    const target = this.must('pre-extract', env)
    write(target)
    return this.must('post-extract', { ...env, OCI_UNPACK_TARGET: target }) || target
  }

  /** Paths as byte strings, sorted. */
  deltaList({ refresh = false } = {}): string[] {
    const program = join(hooks, this.set, this.set)
    const env = this.environment({ OCI_UNPACK_REFRESH: refresh ? '1' : '0' })
    const options = { env, cwd: join(hooks, this.set), maxBuffer: 1 << 28 }
    const { status, stdout, stderr } = spawnSync(program, ['delta-list'], options)
    if (status !== 0) throw new Error(`delta-list: ${String(status)} ${stderr.toString()}`)
    const list = stdout.toString('latin1')
    if (!list.endsWith('\0')) throw new Error('the last path has no end')
    return list.slice(0, -1).split('\0').sort()
  }

  private start(program: string, args: string[], env: Record<string, string>): Run {
    const { status, stdout, stderr } = spawnSync(program, args, {
      encoding: 'utf8',
      env: this.environment(env),
      cwd: join(hooks, this.set),
      timeout: 120_000
    })
    return { status, stdout, stderr }
  }

  private environment(env: Record<string, string>): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      [this.set === 'pool' ? 'POOL' : 'STORE']: this.store,
      OCI_UNPACK_BUNDLE: this.bundle,
      OCI_UNPACK_ROOTFS: this.rootfs,
      OCI_UNPACK_STATE: this.state,
      OCI_UNPACK_OWNER: this.owner.path,
      ...this.env,
      ...env
    }
  }
}

export function environmentOf(layers: readonly Layer[], index: number): Record<string, string> {
  const key = layers[index]!.key
  return {
    OCI_UNPACK_KEY: key,
    OCI_UNPACK_CHAIN_ID: key,
    OCI_UNPACK_PARENT_CHAIN_ID: layers[index - 1]?.key ?? '',
    OCI_UNPACK_LAYER_INDEX: String(index),
    OCI_UNPACK_LAYER_COUNT: String(layers.length)
  }
}

/**
 * Differences between two trees that a delta list does not cover. A path covers itself; one that ends in a slash, or
 * that is not there now, covers all below.
 */
export function uncovered(
  list: readonly string[],
  base: string,
  now: string,
  ignore: readonly string[] = []
): string[] {
  const named = new Set(list.map((path) => path.replace(/\/$/, '')))
  const whole = new Set(list.filter((path) => path.endsWith('/')).map((path) => path.slice(0, -1)))
  const gone = (path: string): boolean =>
    named.has(path) && !existsSync(Buffer.from(`${now}/${path}`, 'latin1'))
  return compareTrees(base, now, ignore).filter((line) => {
    const path = unescape(/^(.*?): (?:\w|[.])+ .* != /s.exec(line)![1]!)
    return !named.has(path) && !ancestors(path).some((above) => whole.has(above) || gone(above))
  })
}

function unescape(path: string): string {
  return path.replace(/\\x([0-9a-f]{2})/g, (_all, hex: string) =>
    String.fromCharCode(parseInt(hex, 16))
  )
}

function ancestors(path: string): string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('/'))
}
