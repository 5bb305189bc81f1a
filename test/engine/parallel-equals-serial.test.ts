import * as fc from 'fast-check'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fromText } from '../../src/bytes.ts'
import { OciUnpackError } from '../../src/errors.ts'
import { assemble } from '../../src/plan/assemble.ts'
import { LayerStack } from '../../src/plan/layer-stack.ts'
import type { StagedEntry } from '../../src/plan/staged-entry.ts'
import { apply } from '../../src/rootfs/apply.ts'
import { LayerStage } from '../../src/rootfs/layer-stage.ts'
import { close, openOperatorDirectory } from '../../src/sys/files.ts'
import { layerStack } from '../reference/random-layers.ts'
import { applySerially, Rejected, type Member } from '../reference/serial.ts'
import { snapshot } from '../reference/snapshot.ts'
import { needs } from '../support/requires.ts'

const runs = Number(process.env['OCI_UNPACK_PROPERTY_RUNS'] ?? 300)

test.runIf(needs('root')).each([false, true])(
  'staging layers apart and joining them equals applying them in order (keepDirlinks %s)',
  (keepDirlinks) => {
    const seed = Number(process.env['OCI_UNPACK_SEED'] ?? Date.now() % 1_000_000)
    console.log(`layer stacks: ${runs} runs, seed ${seed}`)
    fc.assert(
      fc.property(layerStack, (layers) =>
        withScratch((scratch) => compare(scratch, layers, keepDirlinks))
      ),
      { seed, numRuns: runs }
    )
  }
)

function compare(scratch: string, layers: Member[][], keepDirlinks: boolean): void {
  const serial = outcome(() => {
    applySerially(`${scratch}/serial`, layers, keepDirlinks)
    return snapshot(`${scratch}/serial`)
  })
  const staged = outcome(() => {
    applyStaged(scratch, layers, keepDirlinks)
    return snapshot(`${scratch}/work/rootfs`)
  })
  expect(staged).toBe(serial)
}

function outcome(act: () => string): string {
  try {
    return act()
  } catch (error) {
    if (error instanceof Rejected) return 'rejected'
    if (error instanceof OciUnpackError && error.code === 'ENTRY_INVALID') return 'rejected'
    throw error
  }
}

function applyStaged(scratch: string, layers: Member[][], keepDirlinks: boolean): void {
  mkdirSync(`${scratch}/work/trash`, { recursive: true })
  const stack = new LayerStack({ keepDirlinks })
  layers.forEach((layer, index) => {
    const staging = `${scratch}/work/${index}`
    mkdirSync(staging)
    const folder = stack.layer(index, String(index))
    for (const entry of stageLayer(staging, layer)) folder.add(entry)
  })
  const operations = assemble({
    root: stack.root,
    workspace: stack.workspace,
    target: 'rootfs',
    trash: stack.makePhysical('trash')
  })
  withDirectory(`${scratch}/work`, (workspace) =>
    apply(workspace, operations, { undescribed: UNDESCRIBED, onLostXattr: () => undefined })
  )
}

function stageLayer(staging: string, layer: Member[]): StagedEntry[] {
  const entries: StagedEntry[] = []
  withDirectory(staging, (fd) => {
    const stage = new LayerStage(fd, {
      rules: { policy: { kind: 'exact', uidMap: [], gidMap: [] }, maxPathBytes: 4095 },
      digests: true,
      onEntry: (entry) => entries.push(entry),
      onLostXattr: () => undefined
    })
    for (const { entry, body } of layer) {
      stage.entry(entry)
      if (body.length > 0) stage.data(body, 0, body.length, 0)
      stage.end()
    }
    stage.close()
  })
  return entries
}

const UNDESCRIBED: StagedEntry = {
  type: 'directory',
  path: '',
  link: '',
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { sec: 0, nsec: 0 },
  devMajor: 0,
  devMinor: 0,
  xattrs: [],
  staged: 0
}

function withDirectory<T>(path: string, act: (fd: number) => T): T {
  const fd = openOperatorDirectory(fromText(path))
  try {
    return act(fd)
  } finally {
    close(fd)
  }
}

function withScratch(act: (path: string) => void): void {
  const scratch = mkdtempSync(join(tmpdir(), 'oci-unpack-property-'))
  try {
    act(scratch)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
