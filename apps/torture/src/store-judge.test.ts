// Goal: the check finds every way in which a store can break its word, and nothing in a store that kept it.
// Method: ledgers and stores written by hand, the right one first and then each wrong one.
import { describe, expect, it } from "vitest";
import { type JobDescription, judgeStore, type StoredObject } from "./store-judge.ts";
import type { Fact, Verb, Verdict } from "./store-ledger.ts";
import { swapKey } from "./store-plan.ts";

const a = "a".repeat(32);
const b = "b".repeat(32);
const c = "c".repeat(32);

const tried = (id: string, verb: Verb, key: string, verdict?: Verdict, code?: string): Fact[] => [
  { fact: "try", id, verb, key },
  ...(verdict === undefined ? [] : [{ fact: verdict, id, ...(code === undefined ? {} : { code }) }]),
];
const stored = (key: string, putId: string, bodyId: string | undefined = putId): StoredObject => ({
  key,
  putId,
  bodyId,
});
const judge = (
  facts: readonly Fact[],
  objects: readonly StoredObject[],
  description: Partial<JobDescription> = {},
  incompleteUploads?: readonly string[],
): string[] =>
  judgeStore(facts, { objects, incompleteUploads }, { job: "create", items: 1, isFinal: false, ...description });

describe("objects that were created", () => {
  const key = "create/0";

  it("are as they should be", () => {
    const facts = [...tried(a, "create", key, "done"), ...tried(b, "create", key, "refused", "ALREADY_EXISTS")];
    expect(judge(facts, [stored(key, a)], { isFinal: true }, [])).toEqual([]);
    expect(judge(tried(a, "create", key, "unknown", "TIMEOUT"), [])).toEqual([]);
    expect(judge(tried(a, "create", key, "unknown", "TIMEOUT"), [stored(key, a)])).toEqual([]);
    expect(judge(tried(a, "create", key), [stored(key, a)])).toEqual([]);
    const found = [...tried(a, "create", key, "unknown"), { fact: "found", id: a } as const];
    expect(judge(found, [stored(key, a)], { isFinal: true })).toEqual([]);
  });

  it.each<[string, Fact[], StoredObject[], string]>([
    ["lost", tried(a, "create", key, "done"), [], "lost"],
    ["somebody else's", tried(a, "create", key, "unknown"), [stored(key, b)], "nobody used"],
    ["elsewhere", tried(a, "create", key, "unknown"), [stored("create/1", a)], "nobody put it"],
    ["torn", tried(a, "create", key, "done"), [{ key, putId: a, bodyId: undefined }], "not those of any put"],
    ["mixed", tried(a, "create", key, "done"), [stored(key, a, b)], `has bytes of ${b}`],
    ["refused and there", tried(a, "create", key, "refused", "UNAVAILABLE"), [stored(key, a)], "UNAVAILABLE"],
    [
      "refused to their own creator",
      tried(a, "create", key, "refused", "ALREADY_EXISTS"),
      [stored(key, a)],
      "ALREADY_EXISTS",
    ],
    [
      "of two winners",
      [...tried(a, "create", key, "done"), ...tried(b, "create", key, "done")],
      [stored(key, a)],
      "created 2 times",
    ],
    [
      "replaced by a late one",
      [...tried(a, "create", key, "done"), ...tried(b, "create", key, "unknown")],
      [stored(key, b)],
      `${a} was acknowledged`,
    ],
    ["misread", [...tried(a, "create", key, "done"), { fact: "wrong-read", key }], [stored(key, a)], "other bytes"],
  ])("are not %s", (_name, facts, objects, problem) => {
    expect(judge(facts, objects).join()).toContain(problem);
  });

  it("are complete in the end, and no upload is left", () => {
    const facts = tried(a, "create", key, "done");
    expect(judge(facts, [stored(key, a)], { items: 2, isFinal: true })).toEqual(["create/1: not finished: missing"]);
    expect(judge(facts, [stored(key, a)], { isFinal: true }, [key])).toEqual([`${key}: an upload was left incomplete`]);
    expect(judge(tried(a, "create", key, "unknown"), [stored(key, a)], { isFinal: true }).join()).toContain(
      "knows nothing",
    );
  });
});

it("a plain put gives way to a later one, never to an earlier one", () => {
  const key = "put/0";
  const facts = [
    ...tried(a, "put", key, "unknown"),
    ...tried(b, "put", key, "done"),
    ...tried(c, "put", key, "unknown"),
  ];
  expect(judge(facts, [stored(key, b)], { job: "put" })).toEqual([]);
  expect(judge(facts, [stored(key, c)], { job: "put" })).toEqual([]);
  expect(judge(facts, [stored(key, a)], { job: "put" }).join()).toContain("an older put came back");
});

it("a copy has its own put id and its source's bytes", () => {
  const facts = [...tried(a, "create", "copy/0/from", "done"), ...tried(b, "copy", "copy/0/to", "done")];
  const source = stored("copy/0/from", a);
  expect(judge(facts, [source, stored("copy/0/to", b, a)], { job: "copy", isFinal: true })).toEqual([]);
  expect(judge(facts, [source, stored("copy/0/to", b, c)], { job: "copy" }).join()).toContain("than its source");
  expect(judge(facts, [source, stored("copy/0/to", a, a)], { job: "copy" }).join()).toContain("nobody used");
});

describe("deletions", () => {
  const key = "delete/0";
  const put = tried(a, "create", key, "done");

  it.each<[Fact[], StoredObject[], string]>([
    [tried(b, "delete", key, "done"), [], ""],
    [tried(b, "delete", key, "unknown"), [], ""],
    [tried(b, "delete", key, "unknown"), [stored(key, a)], ""],
    [tried(b, "delete", key, "refused", "THROTTLED"), [stored(key, a)], ""],
    [tried(b, "delete", key, "done"), [stored(key, a)], "its deletion was acknowledged"],
    [tried(b, "delete", key, "refused", "THROTTLED"), [], "its deletion was refused with THROTTLED"],
    [[], [], "lost"],
  ])("%#", (facts, objects, problem) => {
    const problems = judge([...put, ...facts], objects, { job: "delete" });
    if (problem === "") expect(problems).toEqual([]);
    else expect(problems.join()).toContain(problem);
  });

  it("are carried out in the end, and only those that were planned", () => {
    const kept = tried(c, "create", "delete/2", "done");
    const other = [
      ...tried("d".repeat(32), "create", "delete/1", "done"),
      ...tried("e".repeat(32), "delete", "delete/1", "found"),
    ];
    const facts = [...put, ...other, ...kept];
    const done = [...facts, ...tried(b, "delete", key, "done")];
    const final = { job: "delete", items: 3, isFinal: true } as const;
    expect(judge(done, [stored("delete/2", c)], final)).toEqual([]);
    expect(judge(facts, [stored(key, a), stored("delete/2", c)], final)).toEqual([`${key}: not finished: still there`]);
    expect(judge(done, [], final).join()).toContain("delete/2: lost");
  });
});

describe("a chain of swaps", () => {
  const link = (item: number, id: string) => ({ item, id });
  const chain = (putId: string, ...links: ReturnType<typeof link>[]): StoredObject => ({
    key: swapKey,
    putId,
    bodyId: undefined,
    chain: links,
  });
  const facts = [...tried(a, "swap", swapKey, "done"), ...tried(b, "swap", swapKey, "unknown")];
  const swap = { job: "swap", items: 2 } as const;

  it("may or may not have what is unknown", () => {
    expect(judge(facts, [chain(a, link(0, a))], swap)).toEqual([]);
    expect(judge(facts, [chain(b, link(0, a), link(1, b))], { ...swap, isFinal: true })).toEqual([]);
  });

  it.each<[string, StoredObject[], string]>([
    ["is gone", [], "lost"],
    ["is no chain", [{ key: swapKey, putId: a, bodyId: undefined }], "no chain"],
    ["lost an update", [chain(b, link(1, b))], `lost update, ${a}`],
    ["has a stranger's link", [chain(c, link(0, a), link(1, c))], "nobody's"],
    ["has an item twice", [chain(b, link(0, a), link(0, b))], "twice"],
    ["has another's put id", [chain(b, link(0, a))], `has put id ${b}`],
  ])("%s", (_name, objects, problem) => {
    expect(judge(facts, objects, swap).join()).toContain(problem);
  });

  it("has nothing that was refused, and all items in the end", () => {
    const refused = tried(a, "swap", swapKey, "refused", "VERSION_MISMATCH");
    expect(judge(refused, [chain(a, link(0, a))], swap).join()).toContain("VERSION_MISMATCH");
    expect(judge(facts, [chain(a, link(0, a))], { ...swap, isFinal: true }).join()).toContain("1 of 2 items");
  });
});
