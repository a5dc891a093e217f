// Goal: the checks speak up. Method: a sound run passes every check; then each kind of loss, alteration and invention is put
// into the observations, one at a time, and exactly the checks that must notice it do.
import { describe, expect, test } from "vitest";
import {
  allPassed,
  type Check,
  type CheckName,
  findingsKept,
  judgeKill,
  judgeTail,
  type KillFacts,
  mergeChecks,
  SequenceComparison,
} from "./checks.ts";

const input = ["zero", "one", "two", "three", "four", "five"].map((text) => Buffer.from(text));

/** What a reader got, compared with the input. */
function compared(
  got: readonly { id: number; text: string }[],
  sent: readonly Uint8Array[] = input,
): SequenceComparison {
  const comparison = new SequenceComparison("here", 1);
  for (const [index, { id, text }] of got.entries()) {
    if (!comparison.see(id, Buffer.from(text), sent[index])) break;
  }
  return comparison;
}

const asSent = input.map((record, index) => ({ id: index + 1, text: record.toString() }));

/** Four records acknowledged, five announced, five recovered. */
function soundFacts(): KillFacts {
  return {
    where: "after kill 1",
    acknowledgedId: 4,
    acknowledgedHash: "aa",
    announcedId: 5,
    writerEpoch: 7,
    recovery: { outcome: "recovered", epoch: 8, previousEpoch: 7, lastId: 5, firstCutId: undefined },
    sequence: compared(asSent.slice(0, 5)).outcome(),
    recoveredHash: "aa",
  };
}

function failedNames(checks: readonly Check[]): CheckName[] {
  return checks.filter((check) => check.findingCount > 0).map((check) => check.name);
}

describe("judgeKill", () => {
  test("a sound recovery passes, at both ends of what is allowed", () => {
    expect(failedNames(judgeKill(soundFacts()))).toEqual([]);
    const exactly = { ...soundFacts(), sequence: compared(asSent.slice(0, 4)).outcome() };
    expect(failedNames(judgeKill({ ...exactly, recovery: { ...exactly.recovery, lastId: 4, firstCutId: 5 } }))).toEqual(
      [],
    );
  });

  test("a missing acknowledged record fails, named by its id", () => {
    const facts = soundFacts();
    const checks = judgeKill({
      ...facts,
      sequence: compared(asSent.slice(0, 3)).outcome(),
      recovery: { ...facts.recovery, lastId: 3 },
      recoveredHash: undefined,
    });
    expect(failedNames(checks)).toEqual(["kept", "hash"]);
    expect(checks.find(({ name }) => name === "kept")?.findings).toEqual([
      {
        where: "after kill 1",
        id: 4,
        expected: "records up to 4, which were acknowledged as durable",
        got: "records up to 3",
      },
    ]);
  });

  test("a hole fails, and so does everything behind it", () => {
    const facts = soundFacts();
    const sequence = compared([...asSent.slice(0, 2), ...asSent.slice(3, 5)]).outcome();
    const checks = judgeKill({ ...facts, sequence, recoveredHash: undefined });
    expect(failedNames(checks)).toEqual(["kept", "hash", "recovery", "order"]);
    expect(checks.find(({ name }) => name === "order")?.findings).toEqual([
      { where: "here", id: 4, expected: "record 3 next", got: "record 4" },
    ]);
  });

  test("a record that comes twice fails", () => {
    const sequence = compared([...asSent.slice(0, 2), ...asSent.slice(1, 5)]).outcome();
    expect(failedNames(judgeKill({ ...soundFacts(), sequence }))).toContain("order");
  });

  test("altered content fails, with both versions in the message", () => {
    const altered = asSent.slice(0, 5).map((each) => (each.id === 2 ? { id: 2, text: "onE" } : each));
    const checks = judgeKill({ ...soundFacts(), sequence: compared(altered).outcome() });
    expect(failedNames(checks)).toEqual(["content"]);
    expect(checks.find(({ name }) => name === "content")?.findings).toEqual([
      { where: "here", id: 2, expected: '3 bytes "one"', got: '3 bytes "onE"' },
    ]);
  });

  test.each([
    ["shorter", "on"],
    ["longer", "one "],
    ["empty", ""],
  ])("content that became %s fails", (_, text) => {
    const altered = asSent.slice(0, 5).map((each) => (each.id === 2 ? { id: 2, text } : each));
    expect(failedNames(judgeKill({ ...soundFacts(), sequence: compared(altered).outcome() }))).toEqual(["content"]);
  });

  test("two records that changed places fail", () => {
    const swapped = [asSent[0], { id: 2, text: "two" }, { id: 3, text: "one" }, asSent[3], asSent[4]] as typeof asSent;
    const checks = judgeKill({ ...soundFacts(), sequence: compared(swapped).outcome() });
    expect(checks.find(({ name }) => name === "content")?.findingCount).toBe(2);
  });

  test("a record that its writer never meant to append fails", () => {
    const facts = soundFacts();
    const checks = judgeKill({
      ...facts,
      sequence: compared(asSent).outcome(),
      recovery: { ...facts.recovery, lastId: 6 },
    });
    expect(failedNames(checks)).toEqual(["invented"]);
    expect(checks.find(({ name }) => name === "invented")?.findings[0]?.id).toBe(6);
  });

  test("a record beyond the end of the input fails", () => {
    const facts = soundFacts();
    const sequence = compared([...asSent, { id: 7, text: "six" }]).outcome();
    const checks = judgeKill({ ...facts, announcedId: 6, sequence, recovery: { ...facts.recovery, lastId: 7 } });
    expect(checks.find(({ name }) => name === "invented")?.findings.map(({ id, got }) => [id, got])).toEqual([
      [7, '3 bytes "six"'],
      [7, "records up to 7"],
    ]);
  });

  test("another hash of what was acknowledged fails", () => {
    expect(failedNames(judgeKill({ ...soundFacts(), recoveredHash: "ab" }))).toEqual(["hash"]);
  });

  test.each([
    [{ outcome: "clean" }],
    [{ outcome: "created" }],
    [{ epoch: 7 }],
    [{ epoch: 9 }],
    [{ previousEpoch: 6 }],
    [{ lastId: 4 }],
    [{ firstCutId: 4 }],
  ])("a recovery that reports %j fails", (wrong) => {
    const facts = soundFacts();
    expect(failedNames(judgeKill({ ...facts, recovery: { ...facts.recovery, ...wrong } }))).toEqual(["recovery"]);
  });
});

describe("judgeTail", () => {
  test("passes when it read everything", () => {
    expect(judgeTail("tail", 6, compared(asSent).outcome(), "tail").findingCount).toBe(0);
  });

  test.each([
    ["stopped early", asSent.slice(0, 5)],
    ["skipped a record", [...asSent.slice(0, 2), ...asSent.slice(3)]],
    ["read a record twice", [...asSent.slice(0, 3), ...asSent.slice(2)]],
    ["read something else", asSent.map((each) => (each.id === 6 ? { id: 6, text: "5" } : each))],
    ["read more than was sent", [...asSent, { id: 7, text: "six" }]],
  ])("fails when it %s", (_, got) => {
    expect(judgeTail("follower", 6, compared(got).outcome(), "tail").findingCount).toBeGreaterThan(0);
  });
});

describe("many findings", () => {
  test("are counted, but only the first are kept", () => {
    const wrong = Array.from({ length: 1000 }, (_, index) => ({ id: index + 1, text: "wrong" }));
    const sent = wrong.map(() => Buffer.from("right"));
    const outcome = compared(wrong, sent).outcome();
    expect([outcome.alteredCount, outcome.altered.length]).toEqual([1000, findingsKept]);
  });

  test("of one name are merged, and one failure fails the whole", () => {
    const good = judgeKill(soundFacts());
    const bad = judgeKill({ ...soundFacts(), recoveredHash: "ab" });
    const merged = mergeChecks([...good, ...bad]);
    expect(merged.filter(({ name }) => name === "hash")).toHaveLength(1);
    expect(failedNames(merged)).toEqual(["hash"]);
    expect(merged.find(({ name }) => name === "kept")?.compared).toBe(8);
    expect([allPassed(mergeChecks(good)), allPassed(merged)]).toEqual([true, false]);
  });
});
