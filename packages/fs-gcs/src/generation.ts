/** Versions are generations: each object that is stored gets a larger one. Conditions name them. */
import { StoreError, type WriteCondition } from "@varve/fs-core";

/** Generation 0 is the store's word for "nothing is there". */
const nothing = "0";

/** @throws StoreError `VERSION_MISMATCH` for a version that no object of this store ever has */
export function generationOf(version: string): string {
  // Not 0: it would turn "only this version" into "only when nothing is there".
  if (/^[1-9]\d{0,18}$/.test(version)) return version;
  throw new StoreError("VERSION_MISMATCH", "the version is not one of Cloud Storage's generations");
}

/** The parameter of a condition on what is replaced. */
export function writeConditionQuery({ ifAbsent, ifMatch }: WriteCondition): { ifGenerationMatch?: string } {
  if (ifAbsent === true && ifMatch !== undefined) {
    throw new StoreError("INVALID_ARGUMENT", "at most one of ifAbsent and ifMatch");
  }
  if (ifAbsent === true) return { ifGenerationMatch: nothing };
  return ifMatch === undefined ? {} : { ifGenerationMatch: generationOf(ifMatch) };
}
