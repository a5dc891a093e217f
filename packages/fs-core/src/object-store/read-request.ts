/** What a read was asked for, checked before anything is sent. */
import type { GetOptions } from "./object-store.ts";
import { refuse } from "./write-request.ts";

/** @throws StoreError `INVALID_ARGUMENT` with every problem */
export function checkGetOptions({ range, ifMatch }: GetOptions): void {
  const problems: string[] = [];
  const isWhole = (value: unknown, least: number): boolean => Number.isSafeInteger(value) && (value as number) >= least;
  if (range !== undefined) {
    const { offset, length, suffixLength } = Object(range) as Record<"offset" | "length" | "suffixLength", unknown>;
    if (suffixLength === undefined) {
      if (!isWhole(offset, 0)) problems.push("range.offset: want a whole number of at least 0");
      if (length !== undefined && !isWhole(length, 1)) {
        problems.push("range.length: want a whole number of at least 1");
      }
    } else {
      if (!isWhole(suffixLength, 1)) problems.push("range.suffixLength: want a whole number of at least 1");
      if (offset !== undefined || length !== undefined) {
        problems.push("range: want suffixLength, or offset with or without length");
      }
    }
  }
  if (ifMatch !== undefined && (typeof ifMatch !== "string" || ifMatch === ""))
    problems.push("ifMatch: want a version");
  refuse("get", problems);
}
