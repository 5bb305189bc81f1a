/** Small trees for the merge: paths with values as text, and the merge done on them. */
import type { LocalChange } from '../../../src/plan/upgrade/changed-tree.ts'
import type { MergePlan, Resolution } from '../../../src/plan/upgrade/merge-plan.ts'
import { mergeTrees } from '../../../src/plan/upgrade/merge-trees.ts'
import type { TreeView } from '../../../src/plan/upgrade/three-trees.ts'
import { baseName, parentPath } from '../../../src/plan/names.ts'

/** `a`: a leaf; `a@2`: the same at another time; `/`, `/x`: a directory, which has a value of its own, too. */
export type SmallTree = ReadonlyMap<string, string>

/** `etc/ etc/a:1 x:2@5`. Parents are made. */
export function tree(text: string): SmallTree {
  const map = new Map([['', '/']])
  for (const word of text.split(' ').filter(Boolean)) {
    const [path, value = ''] = word.split(':') as [string, string?]
    const isDirectory = path.endsWith('/')
    const clean = isDirectory ? path.slice(0, -1) : path
    for (let at = parentPath(clean); at !== ''; at = parentPath(at))
      if (!map.has(at)) map.set(at, '/')
    map.set(clean, isDirectory ? `/${value}` : value)
  }
  return map
}

export const isDirectory = (value: string): boolean => value.startsWith('/')

function isSame(one: string, other: string): boolean {
  return one.split('@')[0] === other.split('@')[0]
}

function view(of: SmallTree): TreeView<string> {
  return {
    at: (path) => of.get(path),
    names: (path) =>
      [...of.keys()].filter((each) => each !== '' && parentPath(each) === path).map(baseName)
  }
}

function changesOf(old: SmallTree, local: SmallTree): LocalChange<string>[] {
  return [...new Set([...old.keys(), ...local.keys()])]
    .map((path) => ({ path, before: old.get(path), after: local.get(path) }))
    .filter(({ before, after }) => before !== after)
}

export interface Triple {
  old: SmallTree
  local: SmallTree
  image: SmallTree
}

export function merge(
  { old, local, image }: Triple,
  resolve: (path: string) => Resolution | undefined
): MergePlan {
  return mergeTrees({
    changes: changesOf(old, local),
    local: view(local),
    image: view(image),
    isDirectory,
    isSame,
    resolve
  })
}

/** What the steps make of the tree of the image; throws if one of them has no place. */
export function carriedOut({ local, image }: Triple, { steps }: MergePlan): SmallTree {
  const result = new Map(image)
  const removeBelow = (path: string): void => {
    for (const each of result.keys()) if (each.startsWith(`${path}/`)) result.delete(each)
  }
  for (const step of steps) {
    const { path } = step
    if (step.kind === 'delete') {
      if (!result.delete(path)) throw new Error(`nothing to delete at ${path}`)
      removeBelow(path)
      continue
    }
    const value = step.kind === 'write' ? local.get(path) : image.get(step.from)
    if (value === undefined) throw new Error(`nothing to take for ${path}`)
    if (path !== '' && !isDirectory(result.get(parentPath(path)) ?? ''))
      throw new Error(`no directory for ${path}`)
    if (step.kind === 'original' && result.has(path)) throw new Error(`${path} is there`)
    if (!isDirectory(value)) removeBelow(path)
    result.set(path, value)
  }
  return result
}
