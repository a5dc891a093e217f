/** Letters that are looked at: what is typed may come from outside. */
const typedMax = 64;

/**
 * The name that was probably meant, whatever its case.
 * @returns the candidate with the fewest edits from `typed` (a letter added, dropped, replaced, or two neighbours
 * swapped), undefined when none is near: more than 2 edits, or as many edits as `typed` has letters
 */
export function closestName(typed: string, candidates: readonly string[]): string | undefined {
  const wanted = typed.slice(0, typedMax).toLowerCase();
  let best: string | undefined;
  let fewest = Math.min(3, wanted.length);
  for (const candidate of candidates) {
    // A beginning that only one name has is what people type when they expect completion.
    const name = candidate.toLowerCase();
    const edits = wanted.length >= 2 && name.startsWith(wanted) ? 1 : editDistance(wanted, name);
    if (edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

/** Optimal string alignment distance. Both are short: names of options. */
function editDistance(left: string, right: string): number {
  let twoBack: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let edits = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      );
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) edits = Math.min(edits, at(twoBack, column - 2) + 1);
      current.push(edits);
    }
    twoBack = previous;
    previous = current;
  }
  return at(previous, right.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
