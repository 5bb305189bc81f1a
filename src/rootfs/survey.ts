/**
 * A finished tree on disk, for the tree manifest and the fingerprints: sizes, link counts and times come from the disk,
 * names and file digests from the plan, so that nothing is read twice.
 */
import type { ByteString } from '../bytes.ts'
import type { MtreeNode } from '../mtree/entry.ts'
import { baseName, joinPath, parentPath } from '../plan/names.ts'
import { xattrsOutside } from '../plan/outside.ts'
import type { IdMaps } from '../plan/policy/exact.ts'
import type { SurveyDirectory } from '../plan/survey-parts.ts'
import type { Ledger } from '../sys/ledger.ts'
import { listXattrs } from '../sys/metadata.ts'
import { status, type Status } from '../sys/status.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import { statusKeywords } from './mtree-entry.ts'
import { readXattrsAt } from './xattrs.ts'

/** A node of the tree manifest, with the status that it was made from. */
export interface SurveyedNode extends MtreeNode {
  status: Status
}

export interface SurveyOptions {
  /** Descriptor of the tree's root, which all threads of the process share. */
  rootfs: number
  /** For what is said about owners. */
  outside: IdMaps
  /**
   * Notes the modes of directories that have to be opened up. Then a directory must be surveyed before any directory below
   * it.
   */
  ledger: Ledger | undefined
}

/** The caller must call `release`. */
export class Surveyor {
  private readonly cursor: DirectoryCursor
  /** Whether a security module labels everything, including objects without attributes in the image. */
  private readonly labelled: boolean
  private readonly outside: IdMaps

  constructor({ rootfs, outside, ledger }: SurveyOptions) {
    this.outside = outside
    this.cursor = new DirectoryCursor(rootfs, ledger)
    this.labelled = listXattrs(rootfs, '').includes('security.selinux')
  }

  release(): void {
    this.cursor.release()
  }

  /** Looked at through its parent if opening it may change its mode. */
  directory({ path, hasXattrs }: SurveyDirectory): SurveyedNode {
    if (path === '') return { ...this.node('', this.cursor.at(''), '', hasXattrs), name: '.' }
    if (this.cursor.lender === undefined)
      return { ...this.node(path, this.cursor.at(path), '', hasXattrs), name: baseName(path) }
    return this.node(path, this.cursor.at(parentPath(path)), baseName(path), hasXattrs)
  }

  leaf(directory: SurveyDirectory, position: number): SurveyedNode {
    const name = directory.names[position]!
    const path = joinPath(directory.path, name)
    const withXattrs = directory.withXattrs.has(position)
    const node = this.node(path, this.cursor.at(directory.path), name, withXattrs)
    const link = directory.links.get(position)
    if (link !== undefined) node.link = link
    const digest = directory.digests[position]
    if (digest !== undefined) node.sha256 = hex(digest)
    return node
  }

  private node(path: ByteString, fd: number, name: ByteString, withXattrs: boolean): SurveyedNode {
    const found = status(fd, name)
    const node: SurveyedNode = {
      name,
      ...statusKeywords(found, this.outside),
      status: found
    }
    if (withXattrs || this.labelled)
      node.xattrs = xattrsOutside(readXattrsAt(this.cursor, path, fd, name), this.outside)
    return node
  }
}

/** A new Buffer for each would cost as much as the rest of it. */
const digestBytes = Buffer.alloc(32)

function hex(digest: ByteString): string {
  digestBytes.write(digest, 'latin1')
  return digestBytes.toString('hex')
}
