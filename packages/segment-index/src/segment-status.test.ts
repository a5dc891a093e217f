/** Goal: the life cycle is the one drawn in segment-status.ts, step by step. Method: the whole table, spelled out again. */
import { expect, test } from "vitest";
import { canTransition, checkTransition, type SegmentStatus, segmentStatuses } from "./segment-status.ts";

const steps: readonly string[] = [
  "active → finalized",
  "active → corrupt",
  "finalized → archiving",
  "finalized → deleting",
  "finalized → corrupt",
  "archiving → archived",
  "archiving → finalized",
  "archiving → corrupt",
  "archived → deleting",
  "archived → corrupt",
  "deleting → corrupt",
  "corrupt → deleting",
];

test("exactly the drawn steps exist", () => {
  const found = segmentStatuses.flatMap((from) => {
    return segmentStatuses.filter((to) => canTransition(from, to)).map((to) => `${from} → ${to}`);
  });
  expect(found.sort()).toEqual([...steps].sort());
});

test("a missing step and a word that is no status are different mistakes", () => {
  expect(() => checkTransition("archived", "active")).toThrow(
    expect.objectContaining({ code: "INDEX_BAD_TRANSITION" }),
  );
  for (const word of ["", "Active", "constructor"]) {
    expect(() => checkTransition(word as SegmentStatus, "corrupt")).toThrow(
      expect.objectContaining({ code: "INDEX_INVALID_ARGUMENT" }),
    );
  }
});
