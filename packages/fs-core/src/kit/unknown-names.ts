import { closestName } from "./closest-name.ts";

/** A longer name is probably a value in the wrong place, perhaps a key. */
const shownName = /^\w{1,24}$/;

/**
 * What is wrong with the names in `given`, for people: one line for each that is none of `known`, with the one that was
 * probably meant. No value is in it.
 * @param path before each name, such as `retry.`
 */
export function unknownNames(given: object, known: readonly string[], path: string = ""): string[] {
  const problems: string[] = [];
  // Not by a list of the names: this runs for every call that has options.
  for (const name in given) if (!known.includes(name)) problems.push(problemOf(name, known, path));
  return problems;
}

function problemOf(name: string, known: readonly string[], path: string): string {
  const meant = closestName(name, known);
  const shown = shownName.test(name) ? name : "a name";
  return `${path}${shown}: not known; ${meant === undefined ? `known are ${known.join(", ")}` : `did you mean ${meant}?`}`;
}

/** The names of `T`, all of them: one that is missing, or one too many, does not compile. */
export function namesOf<T>(names: Readonly<Record<keyof T, true>>): readonly string[] {
  return Object.keys(names);
}
