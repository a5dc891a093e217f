// Goal: each kind of failure ends the program with its own code. Method: a table.
import { AofError } from "@varve/aof";
import { StorageError } from "@varve/fs-core";
import { expect, test } from "vitest";
import { IngestError } from "./errors.ts";
import { exitCodeOf } from "./exit-codes.ts";

test.each([
  [new IngestError("USAGE", ""), 1],
  [new IngestError("LINE_TOO_LONG", ""), 1],
  [new IngestError("NO_INPUT", ""), 2],
  [new IngestError("INPUT_UNREADABLE", ""), 4],
  [new IngestError("STALLED", ""), 7],
  [new IngestError("CHILD_FAILED", ""), 7],
  [new IngestError("CHILD_FAILED", "", { reason: "NO_SPACE" }), 4],
  [new IngestError("CHILD_FAILED", "", { reason: "CORRUPTED_RECORD" }), 5],
  [new AofError("CORRUPTED_RECORD", ""), 5],
  [new AofError("CORRUPTED_SEGMENT", ""), 5],
  [new AofError("CORRUPTED_MANIFEST", ""), 5],
  [new AofError("FORMAT_TOO_NEW", ""), 3],
  [new AofError("NO_SPACE", ""), 4],
  [new AofError("POISONED", ""), 4],
  [new AofError("LOCKED", ""), 6],
  [new AofError("INVALID_ARGUMENT", ""), 7],
  [new StorageError("NO_SPACE", ""), 4],
  [new StorageError("PERMISSION_DENIED", ""), 4],
  [new StorageError("LOCKED", ""), 6],
  [new TypeError("a defect"), 7],
  ["not even an error", 7],
])("%s", (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});
