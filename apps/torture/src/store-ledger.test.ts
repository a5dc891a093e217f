// Goal: the ledger gives back what was told, also after a client that was killed while it wrote.
// Method: write, cut the file, go on, read.
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { type Fact, isSettled, judgedAttempts, Ledger, readFacts } from "./store-ledger.ts";

const root = mkdtempSync(join(tmpdir(), "varve-ledger-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const id = "1".repeat(32);
const begun: Fact = { fact: "try", id, verb: "put", key: "k" };

it("goes on after a line that is not whole, as if that had never been written", () => {
  const dir = join(root, "torn");
  const first = new Ledger(dir);
  first.append(begun);
  first.close();
  appendFileSync(join(dir, "ledger"), '{"fact":"done","id":"11');
  expect(readFacts(dir)).toEqual([begun]);
  const second = new Ledger(dir);
  expect(second.facts).toEqual([begun]);
  second.append({ fact: "unknown", id, code: "TIMEOUT" });
  second.close();
  expect(readFacts(dir)).toEqual([begun, { fact: "unknown", id, code: "TIMEOUT" }]);
});

it("knows of an attempt what was said last", () => {
  const unknown = judgedAttempts([begun, { fact: "unknown", id, code: "TIMEOUT" }]);
  expect(unknown).toEqual([{ id, verb: "put", key: "k", verdict: "unknown", code: "TIMEOUT" }]);
  expect(unknown.some(isSettled)).toBe(false);
  expect(judgedAttempts([begun, { fact: "unknown", id }, { fact: "found", id }]).every(isSettled)).toBe(true);
  expect(judgedAttempts([begun])[0]?.verdict).toBeUndefined();
  expect(() => judgedAttempts([{ fact: "done", id }])).toThrow("never began");
});

it("is empty where there is none", () => {
  expect(readFacts(join(root, "nowhere"))).toEqual([]);
});
