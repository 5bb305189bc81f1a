/**
 * What is on disk while the plan is made: a simulation, kept exact by every operation that is emitted, so that "where
 * is it now" always has an answer. Paths are relative to the workspace directory.
 */
import type { ByteString } from '../bytes.ts'
import { joinPath } from './names.ts'
import type { PhysicalDirectory, PlannedInode } from './planned-tree.ts'

export function newPhysicalDirectory(
  parent: PhysicalDirectory | undefined,
  name: ByteString
): PhysicalDirectory {
  const directory: PhysicalDirectory = {
    kind: 'physical',
    parent,
    name,
    children: new Map<ByteString, PhysicalDirectory | PlannedInode>(),
    owner: undefined
  }
  parent?.children.set(name, directory)
  return directory
}

/**
 * The directory at a path, which is added if it is missing: it exists on disk, or will before the plan is carried out.
 */
export function physicalAt(top: PhysicalDirectory, path: ByteString): PhysicalDirectory {
  let directory = top
  for (const name of path === '' ? [] : path.split('/')) {
    const child = directory.children.get(name)
    directory = child?.kind === 'physical' ? child : newPhysicalDirectory(directory, name)
  }
  return directory
}

export function pathOf(directory: PhysicalDirectory): ByteString {
  return directory.parent === undefined
    ? directory.name
    : joinPath(pathOf(directory.parent), directory.name)
}

export function pathOfObject(object: PhysicalDirectory | PlannedInode): ByteString {
  if (object.kind === 'physical') return pathOf(object)
  if (object.physicalParent === undefined)
    throw new Error(`[internal] ${object.physicalName} was never staged`)
  return joinPath(pathOf(object.physicalParent), object.physicalName)
}

/** Moves an object from where it is to its new place. */
export function reparent(
  object: PhysicalDirectory | PlannedInode,
  parent: PhysicalDirectory,
  name: ByteString
): void {
  detach(object)
  attach(object, parent, name)
}

function detach(object: PhysicalDirectory | PlannedInode): void {
  if (object.kind === 'physical') object.parent?.children.delete(object.name)
  else object.physicalParent?.children.delete(object.physicalName)
}

export function attach(
  object: PhysicalDirectory | PlannedInode,
  parent: PhysicalDirectory,
  name: ByteString
): void {
  parent.children.set(name, object)
  if (object.kind === 'physical') {
    object.parent = parent
    object.name = name
  } else {
    object.physicalParent = parent
    object.physicalName = name
  }
}

/** A file that existed before has one place here, though it may have several names. */
export function isAt(
  object: PhysicalDirectory | PlannedInode,
  parent: PhysicalDirectory,
  name: ByteString
): boolean {
  return object.kind === 'physical'
    ? object.parent === parent && object.name === name
    : object.physicalParent === parent && object.physicalName === name
}

/** The ancestor that is directly in the workspace. */
export function topOf(
  directory: PhysicalDirectory,
  workspace: PhysicalDirectory
): PhysicalDirectory {
  const { parent } = directory
  return parent === undefined || parent === workspace ? directory : topOf(parent, workspace)
}
