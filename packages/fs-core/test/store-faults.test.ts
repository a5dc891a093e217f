// Goal: whatever happens to whichever request, a call either did what it says or says that it did not: nothing is lost,
// doubled, or refused that was our own success; nothing hangs.
// Method: each kind of call runs once without faults to count its requests; then once for each request and fault, once only
// and from there on. Time is a manual clock that is moved on whenever everybody waits.
import { describe, expect, test } from "vitest";
import { createObjectStore, isStoreError, MemoryDriver, type ObjectStore, type PutResult } from "../src/index.ts";
import { type DriverFault, FaultyDriver, ManualClock, SeededRandom } from "../src/testing/index.ts";

const seed = Number(process.env["VARVE_SEED"] ?? 20261126);
const partBytes = 1000;
const small = new Uint8Array(100).fill(1);
const large = new Uint8Array(3500).fill(2);

const faults: readonly DriverFault[] = [
  { kind: "refuse", code: "THROTTLED" },
  { kind: "refuse", code: "UNAVAILABLE" },
  { kind: "refuse", code: "CONFLICT" },
  { kind: "refuse", code: "PERMISSION_DENIED" },
  { kind: "refuse", code: "IO" },
  { kind: "lose-request" },
  { kind: "lose-answer" },
  { kind: "repeat" },
  { kind: "hang", after: false },
  { kind: "hang", after: true },
  { kind: "cut-body", bytes: 70, how: "error" },
  { kind: "cut-body", bytes: 70, how: "end" },
  { kind: "cut-body", bytes: 70, how: "stall" },
  { kind: "garble-body" },
];

interface Scenario {
  readonly prepare: (store: ObjectStore) => Promise<unknown>;
  readonly run: (store: ObjectStore, prepared: unknown) => Promise<unknown>;
  /** Faults that pass by themselves, and after which the call may fail all the same: the store cannot tell it the difference. */
  readonly mayFailAfter?: readonly DriverFault["kind"][];
  /** Judges what is stored, by a store without faults. `failure` is what the call ended with. */
  readonly judge: (clean: ObjectStore, result: unknown, failure: unknown, prepared: unknown) => Promise<void>;
}

async function judgeCreated(
  clean: ObjectStore,
  key: string,
  bytes: Uint8Array,
  result: unknown,
  failure: unknown,
): Promise<void> {
  const found = await clean.head(key);
  if (failure === undefined) {
    expect(found?.putId).toBe((result as PutResult).putId);
    expect(found?.version).toBe((result as PutResult).version);
  } else {
    if (!isStoreError(failure)) throw failure;
    // Nobody else writes: there is no one whose object it could be.
    expect(failure.code).not.toBe("ALREADY_EXISTS");
    if (failure.outcome === "none") expect(found).toBeUndefined();
  }
  if (found !== undefined) expect(Buffer.compare(await (await clean.get(key)).bytes(), bytes)).toBe(0);
}

async function judgeRenamed(clean: ObjectStore, _result: unknown, failure: unknown): Promise<void> {
  const [from, key] = [await clean.head("from"), await clean.head("key")];
  expect([from, key].filter((found) => found !== undefined)).toHaveLength(1);
  if (failure === undefined) expect(key).toBeDefined();
  else if (!isStoreError(failure)) throw failure;
  else if (failure.outcome === "none") expect(from).toBeDefined();
}

const scenarios: Readonly<Record<string, Scenario>> = {
  "conditional put": {
    prepare: async () => undefined,
    run: (store) => store.put("key", small, { ifAbsent: true }),
    judge: (clean, result, failure) => judgeCreated(clean, "key", small, result, failure),
  },
  "plain put": {
    prepare: async () => undefined,
    run: (store) => store.put("key", small),
    judge: (clean, result, failure) => judgeCreated(clean, "key", small, result, failure),
  },
  "conditional upload in parts": {
    prepare: async () => undefined,
    run: (store) => store.putStream("key", [large], { ifAbsent: true, partBytes }),
    judge: (clean, result, failure) => judgeCreated(clean, "key", large, result, failure),
  },
  "conditional copy": {
    prepare: (store) => store.put("from", small),
    run: (store) => store.copy("from", "key", { ifAbsent: true }),
    judge: (clean, result, failure) => judgeCreated(clean, "key", small, result, failure),
  },
  "compare and swap": {
    prepare: (store) => store.put("key", large),
    run: (store, prepared) => store.put("key", small, { ifMatch: (prepared as PutResult).version }),
    async judge(clean, result, failure, prepared) {
      const found = await clean.head("key");
      if (failure === undefined) {
        expect(found?.putId).toBe((result as PutResult).putId);
        return;
      }
      if (!isStoreError(failure)) throw failure;
      expect(failure.code).not.toBe("VERSION_MISMATCH");
      if (failure.outcome === "none") expect(found?.version).toBe((prepared as PutResult).version);
    },
  },
  rename: {
    prepare: (store) => store.put("from", small),
    run: (store) => store.rename("from", "key"),
    judge: judgeRenamed,
  },
  "conditional rename": {
    // Whoever else moved the same object moved the same put id.
    mayFailAfter: ["repeat", "lose-answer", "hang"],
    prepare: (store) => store.put("from", small),
    run: (store) => store.rename("from", "key", { ifAbsent: true }),
    async judge(clean, result, failure) {
      if (isStoreError(failure)) expect(failure.code).not.toBe("ALREADY_EXISTS");
      await judgeRenamed(clean, result, failure);
    },
  },
  "conditional delete": {
    // What is gone has no put id.
    mayFailAfter: ["repeat"],
    prepare: (store) => store.put("key", small),
    run: (store, prepared) => store.delete("key", { ifMatch: (prepared as PutResult).version }),
    async judge(clean, _result, failure) {
      const found = await clean.head("key");
      if (failure === undefined) expect(found).toBeUndefined();
      else if (!isStoreError(failure)) throw failure;
      else if (failure.outcome === "none") expect(found).toBeDefined();
    },
  },
  "delete many": {
    prepare: async (store) => {
      for (const key of ["a", "b", "c"]) await store.put(key, small);
    },
    run: (store) => store.deleteMany(["a", "b", "c"]),
    async judge(clean, result, failure) {
      if (failure !== undefined) throw failure;
      const kept = (result as readonly { key: string }[]).map(({ key }) => key);
      for (const key of ["a", "b", "c"]) if (!kept.includes(key)) expect(await clean.head(key)).toBeUndefined();
    },
  },
  get: {
    prepare: (store) => store.putStream("key", [large]),
    run: async (store) => (await store.get("key")).bytes(),
    async judge(_clean, result, failure) {
      if (failure === undefined) expect(Buffer.compare(result as Uint8Array, large)).toBe(0);
      else if (!isStoreError(failure)) throw failure;
    },
  },
  "get of ranges": {
    prepare: (store) => store.putStream("key", [large]),
    run: (store) =>
      store.getRanges(
        "key",
        [
          { offset: 0, length: 100 },
          { offset: 3000, length: 400 },
        ],
        { gapBytes: 0 },
      ),
    async judge(_clean, result, failure) {
      if (failure === undefined) expect((result as Uint8Array[]).map(({ length }) => length)).toEqual([100, 400]);
      else if (!isStoreError(failure)) throw failure;
    },
  },
  listing: {
    prepare: async (store) => {
      for (const key of ["a", "b", "c"]) await store.put(key, small);
    },
    async run(store) {
      const keys: string[] = [];
      for await (const entry of store.list({ pageSize: 1 })) keys.push(entry.kind === "object" ? entry.key : "?");
      return keys;
    },
    async judge(_clean, result, failure) {
      if (failure === undefined) expect(result).toEqual(["a", "b", "c"]);
      else if (!isStoreError(failure)) throw failure;
    },
  },
};

interface Run {
  readonly requests: readonly string[];
  readonly failure: unknown;
}

async function runOnce(scenario: Scenario, choose: (index: number) => DriverFault | undefined): Promise<Run> {
  const clock = new ManualClock();
  const memory = new MemoryDriver();
  const parts = { random: new SeededRandom(seed) };
  const clean = createObjectStore(memory, {}, parts);
  const prepared = await scenario.prepare(clean);
  const faulty = new FaultyDriver(memory, (_operation, index) => choose(index));
  const store = createObjectStore(
    faulty,
    { retry: { attemptsMax: 3 }, concurrency: 2 },
    { clock, random: new SeededRandom(seed + 1) },
  );
  let result: unknown;
  let failure: unknown;
  let isOver = false;
  const running = scenario.run(store, prepared).then(
    (value) => {
      result = value;
      isOver = true;
    },
    (error: unknown) => {
      failure = error ?? new Error("rejected with nothing");
      isOver = true;
    },
  );
  await passTime(clock, () => isOver);
  await running;
  await scenario.judge(clean, result, failure, prepared);
  let isClosed = false;
  const closing = store.close().then(() => {
    isClosed = true;
  });
  await passTime(clock, () => isClosed);
  await closing;
  return { requests: faulty.requests, failure };
}

/** Moves the clock on whenever nothing happens by itself. Ten minutes of its time are a hang. */
async function passTime(clock: ManualClock, isOver: () => boolean): Promise<void> {
  for (let seconds = 0; !isOver(); seconds++) {
    for (let turn = 0; turn < 20 && !isOver(); turn++) await new Promise((resolve) => setImmediate(resolve));
    if (seconds > 600) throw new Error("the call hangs");
    clock.advance(1000);
  }
}

describe.each(Object.entries(scenarios))("%s", (_name, scenario) => {
  test("works without faults", async () => {
    expect((await runOnce(scenario, () => undefined)).failure).toBeUndefined();
  });

  describe.each([false, true])("sticky %s", (isSticky) => {
    test.each(faults)("with %j at each request", { timeout: 60_000 }, async (fault) => {
      const { requests } = await runOnce(scenario, () => undefined);
      for (let at = 0; at < requests.length; at++) {
        const { failure } = await runOnce(scenario, (index) =>
          (isSticky ? index >= at : index === at) ? fault : undefined,
        );
        // What passes by itself is no reason to fail.
        const passes = !isSticky && !("code" in fault && ["PERMISSION_DENIED", "IO", "CONFLICT"].includes(fault.code));
        if (passes && scenario.mayFailAfter?.includes(fault.kind) !== true && failure !== undefined) throw failure;
      }
    });
  });
});

test("an upload that failed leaves nothing behind", async () => {
  for (let at = 0; at < 6; at++) {
    const memory = new MemoryDriver();
    const faulty = new FaultyDriver(memory, (_operation, index) =>
      index === at ? { kind: "refuse", code: "PERMISSION_DENIED" } : undefined,
    );
    const store = createObjectStore(faulty);
    await expect(store.putStream("key", [large], { partBytes })).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    const left = [];
    for await (const upload of createObjectStore(memory).listIncompleteUploads()) left.push(upload);
    expect(left).toEqual([]);
    await store.close();
  }
});

test("a budget that is spent ends retries", async () => {
  const faulty = new FaultyDriver(new MemoryDriver(), () => ({ kind: "refuse", code: "UNAVAILABLE" }));
  const store = createObjectStore(faulty, { retry: { attemptsMax: 5, baseDelayMs: 0, budget: 6 } });
  for (let call = 0; call < 5; call++) await expect(store.head("key")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(faulty.requests).toHaveLength(5 + 6);
  await store.close();
});
