/** What the kit reports: a row for each case, with texts that help the author of the hooks. */

export interface ConformanceReport {
  /** The name of the hook set. */
  hooks: string
  /** Whether no case failed. */
  ok: boolean
  rows: readonly ConformanceRow[]
  /** The scratch directory if it was kept: on request, or because something in it could not be removed. */
  scratch?: string
}

export interface ConformanceRow {
  case: string
  verdict: Verdict
  milliseconds: number
}

export type Verdict =
  | { readonly kind: 'passed' }
  /** `reason`: what the set or the machine lacks. */
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'failed'; readonly failure: Failure }

export interface Failure {
  /** What the hook was asked. */
  asked: string
  /** What the contract says about it. */
  contract: string
  /** What happened instead. */
  seen: string
  /** The first case that failed for the same reason, if another did. */
  sameAs?: string
}

/** Thrown by a case when the hooks break their contract. Missing parts are those of the case. */
export class Broken extends Error {
  readonly failure: Partial<Failure> & Pick<Failure, 'seen'>

  constructor(failure: Partial<Failure> & Pick<Failure, 'seen'>) {
    super(failure.seen)
    this.failure = failure
  }
}
