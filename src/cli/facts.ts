/** The facts of an error as lines for people. */
import { FACT_ORDER, type Facts } from '../errors.ts'

export function formatFacts(facts: Facts): string[] {
  return FACT_ORDER.flatMap((name) =>
    facts[name] === undefined ? [] : [`${name}: ${indent(facts[name])}`]
  )
}

/** Further lines of a fact are indented below its name. */
function indent(fact: string | number): string {
  return String(fact).replaceAll('\n', '\n    ')
}
