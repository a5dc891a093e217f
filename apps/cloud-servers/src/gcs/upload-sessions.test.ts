// Goal: the server forgets uploads that ended before it refuses new ones, and refuses rather than grow.
// Method: a limit of three sessions, and bodies counted against a budget.
import { ManualClock } from "@varve/fs-core/testing";
import { expect, test } from "vitest";
import { noAttributes } from "./attributes.ts";
import { Bucket, Generations } from "./bucket.ts";
import { parseConditions } from "./conditions.ts";
import { Budget, ContentSink } from "./content.ts";
import { Query } from "./query.ts";
import { UploadSession } from "./upload-session.ts";
import { sessionLifeMs, UploadSessions } from "./upload-sessions.ts";

test("room comes from what ended or expired, never from what is open", () => {
  const clock = new ManualClock();
  const budget = new Budget(100);
  const bucket = new Bucket("bucket", { clock, budget, generations: new Generations(clock) });
  const sessions = new UploadSessions(clock, 3);
  const open = (id: string): UploadSession => {
    const start = { id, bucket, name: id, attributes: noAttributes, checksums: [], totalBytes: undefined };
    const conditions = parseConditions(new Query(""));
    const session = new UploadSession(
      { ...start, conditions, startedUs: clock.monotonicUs() },
      new ContentSink(budget, false),
    );
    sessions.add(session);
    session.append(session.takeOver(), Buffer.alloc(10));
    return session;
  };
  const [first, second] = [open("a"), open("b"), open("c")];
  expect(() => open("d")).toThrow(expect.objectContaining({ status: 429, reason: "rateLimitExceeded" }));
  expect(budget.heldBytes).toBe(30);
  second?.abandon("cancelled");
  expect(budget.heldBytes).toBe(20);
  open("d");
  expect(() => sessions.get("b")).toThrow(expect.objectContaining({ status: 404 }));
  first?.complete(first.takeOver(), {});
  expect(sessions.get("a").end?.kind).toBe("complete");
  open("e");
  expect(sessions.all().map(({ start }) => start.id)).toEqual(["c", "d", "e"]);
  clock.advance(sessionLifeMs);
  open("f");
  expect(sessions.all().map(({ end }) => end?.kind)).toEqual(["gone", "gone", undefined]);
  // The completed object's bytes and the open session's are left.
  expect(budget.heldBytes).toBe(20);
  bucket.delete("a", undefined, parseConditions(new Query("")));
  expect(budget.heldBytes).toBe(10);
});
