/** Values of command line options, checked. What is wrong is a RangeError that names the option. */

type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/** @throws RangeError */
export function wholeNumber(values: Values, name: string, otherwise: number): number {
  const given = values[name];
  if (given === undefined) return otherwise;
  const value = Number(given);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`--${name}: got ${String(given)}, want a whole number`);
  return value;
}

/** @throws RangeError */
export function oneOf<const T extends string>(values: Values, name: string, known: readonly T[]): T | undefined {
  const given = values[name];
  if (given === undefined) return undefined;
  const found = known.find((value) => value === given);
  if (found === undefined) throw new RangeError(`--${name}: got ${String(given)}, want one of ${known.join(", ")}`);
  return found;
}

export const indexKinds = ["file", "lmdb", "memory", "auto"] as const;
export type IndexKind = (typeof indexKinds)[number];
