/** The known word that was most likely meant by an unknown one; undefined if none is close. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const reach = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3))
  const near = known
    .map((candidate) => ({ candidate, distance: distance(word, candidate) }))
    .filter((found) => found.distance <= reach)
    .sort((a, b) => a.distance - b.distance)
  return near[0]?.candidate
}

/** The Levenshtein distance: the number of characters to add, drop or replace. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let index = 0; index < from.length; index++) {
    const next = [index + 1]
    for (let at = 1; at <= to.length; at++) {
      const replaced = row[at - 1]! + (from[index] === to[at - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[at]! + 1, next[at - 1]! + 1))
    }
    row = next
  }
  return row[to.length]!
}
