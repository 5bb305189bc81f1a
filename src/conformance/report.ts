/** What the kit says: a row for each case, with words that help the author of the hooks. */

export interface ConformanceReport {
  /** Name of the hook set. */
  hooks: string
  /** Whether no case failed. */
  ok: boolean
  rows: readonly ConformanceRow[]
  /** The scratch directory, where it was left: as asked for, or because something in it could not be removed. */
  scratch?: string
}

export interface ConformanceRow {
  case: string
  verdict: Verdict
  milliseconds: number
}

export type Verdict =
  | { readonly kind: 'passed' }
  /** `reason`: what the set or the machine does not have. */
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'failed'; readonly failure: Failure }

export interface Failure {
  /** What the hook was asked. */
  asked: string
  /** What the contract says of it. */
  contract: string
  /** What happened instead. */
  seen: string
}

/** What a case throws when the hooks break their contract. Parts that are left out are those of the case. */
export class Broken extends Error {
  readonly failure: Partial<Failure> & Pick<Failure, 'seen'>

  constructor(failure: Partial<Failure> & Pick<Failure, 'seen'>) {
    super(failure.seen)
    this.failure = failure
  }
}
