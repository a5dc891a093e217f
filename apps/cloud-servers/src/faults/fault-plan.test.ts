// Goal: a rule hits the requests it names, as often as it says, and one that makes no sense is refused.
// Method: plans asked about made-up requests; rules with one thing wrong each.
import { expect, test } from "vitest";
import { FaultPlan } from "./fault-plan.ts";
import { type FaultKind, type FaultRule, parseFaultRules } from "./fault-rule.ts";

const kinds: readonly FaultKind[] = ["latency", "status", "reset", "cutBody"];
const action = { kind: "latency", ms: 1 } as const;
const put = { method: "PUT", operation: "PutObject", path: "/bucket/wal/1" };
const hits = (rule: Omit<FaultRule, "action">, times = 1): boolean[] => {
  const plan = new FaultPlan(kinds, [{ ...rule, action }]);
  return Array.from({ length: times }, () => plan.next(put) !== undefined);
};

test.each<[Omit<FaultRule, "action">, boolean]>([
  [{}, true],
  [{ method: "PUT" }, true],
  [{ method: "GET" }, false],
  [{ method: ["GET", "PUT"] }, true],
  [{ operation: "PutObject" }, true],
  [{ operation: ["GetObject", "PutObject"] }, true],
  [{ operation: "UploadPart" }, false],
  [{ path: "wal/" }, true],
  [{ path: "log/" }, false],
  [{ method: "PUT", operation: "PutObject", path: "wal/2" }, false],
])("%j hits a put: %s", (rule, expected) => expect(hits(rule)).toEqual([expected]));

test("nth hits once, sticky from there on", () => {
  expect(hits({ nth: 2 }, 4)).toEqual([false, true, false, false]);
  expect(hits({ nth: 2, sticky: true }, 4)).toEqual([false, true, true, true]);
});

test("the first rule that is due decides, and all that match count", () => {
  const plan = new FaultPlan(kinds);
  const first = plan.add({ nth: 1, action });
  const second = plan.add({ action: { kind: "reset", when: "before" } });
  expect([plan.next(put)?.action.kind, plan.next(put)?.action.kind]).toEqual(["latency", "reset"]);
  expect([first, second].map(({ matched, injected }) => [matched, injected])).toEqual([
    [2, 1],
    [2, 1],
  ]);
  second.remove();
  expect(plan.next(put)).toBeUndefined();
  expect(plan.injected).toBe(2);
});

test.each([
  ["not JSON", "{", "want JSON"],
  ["no object", "5", "rule: want an object"],
  ["no action", "{}", "rule.action"],
  ["an unknown kind", '{"action":{"kind":"explode"}}', "rule.action"],
  ["an inherited kind", '{"action":{"kind":"toString"}}', "rule.action"],
  ["a kind of another server", '{"action":{"kind":"duplicate"}}', "does not play duplicate"],
  ["a misspelt condition", '{"pth":"a","action":{"kind":"latency","ms":1}}', "rule.pth"],
  ["a misspelt member", '{"action":{"kind":"latency","ms":1,"s":1}}', "latency.s"],
  ["a missing member", '{"action":{"kind":"reset"}}', "reset.when"],
  ["a status of success", '{"action":{"kind":"status","status":200,"when":"after"}}', "status.status"],
  ["sticky alone", '{"sticky":true,"action":{"kind":"latency","ms":1}}', "needs nth"],
  ["no method at all", '{"method":[],"action":{"kind":"latency","ms":1}}', "rule.method"],
  ["nth from 0", '{"nth":0,"action":{"kind":"latency","ms":1}}', "rule.nth"],
  ["a negative length", '{"action":{"kind":"cutBody","afterBytes":-1,"how":"fin"}}', "cutBody.afterBytes"],
])("refuses %s", (_, text, problem) => {
  expect(() => parseFaultRules(text, kinds)).toThrow(problem);
});

test("reads one rule or several", () => {
  const rule = { path: "a", nth: 3, sticky: true, action };
  expect(parseFaultRules(JSON.stringify(rule), kinds)).toEqual([rule]);
  expect(parseFaultRules(JSON.stringify([rule, rule]), kinds)).toEqual([rule, rule]);
});
