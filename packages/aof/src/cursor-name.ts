import { AofError } from "./errors.ts";

/** Cursors in one log, at most: their file is written whole at every commit. */
export const cursorsMax = 1000;
export const cursorNameBytesMax = 200;

/** C0, DEL and C1 (category Cc): they have no business in a name that people read in a terminal. */
const controlCharacter = /\p{Cc}/u;

/** What is wrong with the name, undefined when nothing is. Names are compared byte for byte, never normalised. */
export function cursorNameProblem(name: unknown): string | undefined {
  if (typeof name !== "string") return "not a string";
  if (!name.isWellFormed()) return "half of a surrogate pair stands alone in it";
  const bytes = Buffer.byteLength(name);
  if (bytes < 1 || bytes > cursorNameBytesMax) return `${bytes} bytes of UTF-8`;
  return controlCharacter.test(name) ? "a control character in it" : undefined;
}

/** @throws AofError `INVALID_ARGUMENT` */
export function assertCursorName(name: unknown): asserts name is string {
  const problem = cursorNameProblem(name);
  if (problem === undefined) return;
  throw new AofError(
    "INVALID_ARGUMENT",
    `a cursor's name: got ${problem}, want 1..${cursorNameBytesMax} bytes of UTF-8 without control characters`,
  );
}
