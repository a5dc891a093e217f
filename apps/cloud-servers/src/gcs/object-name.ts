/** Which names an object may have, and their order. https://cloud.google.com/storage/docs/objects#naming */
import { invalid } from "./api-error.ts";

/** @throws ApiError 400 with what is wrong */
export function checkObjectName(name: string): void {
  const problem = objectNameProblem(name);
  if (problem !== undefined) throw invalid(`Invalid object name: it ${problem}.`);
}

function objectNameProblem(name: string): string | undefined {
  if (!name.isWellFormed()) return "is not Unicode";
  const bytes = Buffer.byteLength(name);
  if (bytes === 0) return "is empty";
  if (bytes > 1024) return `has ${bytes} bytes of UTF-8, more than 1024`;
  if (/[\r\n]/.test(name)) return "holds a carriage return or a line feed";
  if (name === "." || name === "..") return "is . or ..";
  if (name.startsWith(".well-known/acme-challenge/")) return "begins with .well-known/acme-challenge/";
  return undefined;
}

/** The order of lists: by bytes of UTF-8. JavaScript's own puts U+E000 to U+FFFF behind the supplementary planes. */
export function compareNames(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let at = 0; at < end; at++) {
    const [unitA, unitB] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (unitA !== unitB) return rank(unitA) - rank(unitB);
  }
  return a.length - b.length;
}

/** A surrogate is half of a character beyond U+FFFF, so it goes behind every other unit. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x1_0000 : unit;
}
