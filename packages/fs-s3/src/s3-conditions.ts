import { unknownNames } from "@varve/fs-core";
/** Which conditions a server keeps, and the check of it. */

/**
 * False for a condition that the server does not keep, as `probe()` reports: the store then refuses it with `UNSUPPORTED`
 * and sends nothing. True, the default, is what AWS promises. It changes no server: true where the server ignores the
 * condition lets two writers win.
 */
export interface S3Conditions {
  /** `put` with `ifAbsent`. */
  readonly putIfAbsent?: boolean;
  /** Completing an upload in parts with `ifAbsent`. */
  readonly completeIfAbsent?: boolean;
  /** `copy` with `ifAbsent` or `ifMatch`. */
  readonly copyIfAbsent?: boolean;
  /** `put` with `ifMatch`. */
  readonly putIfMatch?: boolean;
  /** Completing an upload in parts with `ifMatch`. Default: as `putIfMatch`. */
  readonly completeIfMatch?: boolean;
  /** `delete` with `ifMatch`. */
  readonly deleteIfMatch?: boolean;
}

/** What AWS keeps: everything. */
const kept: Required<S3Conditions> = Object.freeze({
  putIfAbsent: true,
  completeIfAbsent: true,
  copyIfAbsent: true,
  putIfMatch: true,
  completeIfMatch: true,
  deleteIfMatch: true,
});

/** With every default filled in. Adds what is wrong to `problems`. */
export function resolveS3Conditions(value: unknown, problems: string[]): Required<S3Conditions> {
  if (value === undefined) return kept;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    problems.push("conditions: want an object of true and false");
    return kept;
  }
  const names = Object.keys(kept);
  const given = Object.entries(value).filter(([, isKept]) => isKept !== undefined);
  problems.push(...unknownNames(Object.fromEntries(given), names, "conditions."));
  for (const [name, isKept] of given) {
    if (names.includes(name) && typeof isKept !== "boolean") problems.push(`conditions.${name}: want true or false`);
  }
  const conditions: S3Conditions = Object.fromEntries(given);
  const { putIfMatch = true, completeIfMatch = putIfMatch } = conditions;
  return Object.freeze({ ...kept, ...conditions, completeIfMatch });
}
