import { closestName } from "./closest-name.ts";

/** Every name of `T`: one that is missing, or one too many, does not compile. */
export type NamesOf<T> = Readonly<Record<keyof T, true>>;

/** @returns for each name in `given` that is not in `known`, what is wrong with it and which one was probably meant */
export function unknownNames(given: object, known: Readonly<Record<string, true>>): string[] {
  let problems: string[] | undefined;
  // Without a list of the names: this runs for every call that has options.
  for (const name in given) {
    if (!Object.hasOwn(known, name)) (problems ??= []).push(problemOf(name, Object.keys(known)));
  }
  return problems ?? [];
}

function problemOf(name: string, known: readonly string[]): string {
  const meant = closestName(name, known);
  const shown = JSON.stringify(name.slice(0, 64));
  return meant === undefined
    ? `${shown} is none of the options ${known.join(", ")}`
    : `there is no option ${shown}; ${meant} is meant?`;
}
