import assert from "node:assert/strict";
import { type IndexErrorCode, isIndexError } from "../errors.ts";

/** The promise rejects with an IndexError of this code. */
export async function expectCode(code: IndexErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(isIndexError(error), `want an IndexError, got ${String(error)}`);
    assert.equal(error.code, code);
    return true;
  });
}
