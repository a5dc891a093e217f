/**
 * Goal: whatever happens to whichever HTTP request, a call of the store either did what it says or says that it did not.
 * Method: each kind of call runs once to count its requests; then again for each request and fault. A server that speaks
 * the JSON API makes the faults; afterwards it is asked, without faults, what is stored.
 */
import { type FaultAction, startGcsServer } from "@varve/cloud-servers";
import { createObjectStore, isStoreError, type ObjectStore, type PutResult } from "@varve/fs-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { createGcsDriver } from "../src/gcs-driver.ts";

const unit = 262_144;
const small = new Uint8Array(1000).map((_, index) => index * 7);
const large = new Uint8Array(2 * unit + 1000).map((_, index) => index * 31 + (index >> 8));

/** All of them pass: the next attempt is without. */
const faults: Readonly<Record<string, FaultAction>> = {
  "503 before": { kind: "status", when: "before", status: 503 },
  "503 after": { kind: "status", when: "after", status: 503 },
  "408 after": { kind: "status", when: "after", status: 408 },
  "429": { kind: "status", when: "before", status: 429 },
  "reset before": { kind: "reset", when: "before" },
  "reset after": { kind: "reset", when: "after" },
  "cut, orderly": { kind: "cutBody", afterBytes: 20, how: "fin" },
  "cut, by reset": { kind: "cutBody", afterBytes: 0, how: "reset" },
  duplicate: { kind: "duplicate" },
};

/** A bit flips on its way to the store. */
const damages: Readonly<Record<string, FaultAction>> = {
  "first byte": { kind: "corruptRequest", at: 0 },
  "last byte but some": { kind: "corruptRequest", at: 800 },
};

interface Scenario {
  readonly prepare: (store: ObjectStore) => Promise<unknown>;
  readonly run: (store: ObjectStore, prepared: unknown) => Promise<unknown>;
  /** What is under `key` when the call did its work; undefined: nothing. */
  readonly wanted: Uint8Array | undefined;
  /** What a call is answered that came twice, where the store cannot know that it was the same one. */
  readonly mayFailWith?: readonly string[];
}

const nothing = async (): Promise<undefined> => undefined;
const version = (prepared: unknown): string => (prepared as PutResult).version;

const scenarios: Readonly<Record<string, Scenario>> = {
  "put with ifAbsent": {
    prepare: nothing,
    run: (store) => store.put("key", small, { ifAbsent: true }),
    wanted: small,
  },
  "put with ifMatch": {
    prepare: (store) => store.put("key", large),
    run: (store, prepared) => store.put("key", small, { ifMatch: version(prepared) }),
    wanted: small,
  },
  "upload in parts with ifAbsent": {
    prepare: nothing,
    run: (store) => store.putStream("key", [large], { ifAbsent: true, partBytes: unit }),
    wanted: large,
  },
  "copy with ifAbsent": {
    prepare: (store) => store.put("from", small),
    run: (store) => store.copy("from", "key", { ifAbsent: true }),
    wanted: small,
  },
  "rename with ifAbsent": {
    prepare: (store) => store.put("from", small),
    run: (store) => store.rename("from", "key", { ifAbsent: true }),
    wanted: small,
    // A rival would have moved the same object, with the same put id: who did it is not known.
    mayFailWith: ["UNAVAILABLE"],
  },
  delete: {
    prepare: (store) => store.put("key", small),
    run: (store) => store.delete("key"),
    wanted: undefined,
  },
  "delete with ifMatch": {
    prepare: (store) => store.put("key", small),
    run: (store, prepared) => store.delete("key", { ifMatch: version(prepared) }),
    wanted: undefined,
    // What is gone has no put id.
    mayFailWith: ["NOT_FOUND", "VERSION_MISMATCH"],
  },
  get: {
    prepare: (store) => store.put("key", large),
    run: async (store) => {
      expect(Buffer.compare(await (await store.get("key")).bytes(), large)).toBe(0);
    },
    wanted: large,
  },
};

interface Run {
  readonly failure: unknown;
  readonly result: unknown;
  readonly requests: number;
}

/** @param at index of the request that the fault meets */
async function runWith(scenario: Scenario, fault?: FaultAction, at: number = 0): Promise<Run> {
  const server = await startGcsServer({ buckets: ["bucket"] });
  const open = (): ObjectStore =>
    createObjectStore(createGcsDriver({ bucket: "bucket", endpoint: server.url }), { retry: { baseDelayMs: 0 } });
  const [store, clean] = [open(), open()];
  onTestFinished(async () => {
    await store.close();
    await clean.close();
    await server.close();
  });
  const prepared = await scenario.prepare(clean);
  server.clearRequests();
  const active = fault === undefined ? undefined : server.faults.add({ nth: at + 1, action: fault });
  const [{ status, ...outcome }] = (await Promise.allSettled([scenario.run(store, prepared)])) as [
    PromiseSettledResult<unknown> & { value?: unknown; reason?: unknown },
  ];
  const requests = server.requests.length;
  expect(active?.injected).toBe(fault === undefined ? undefined : 1);
  active?.remove();
  const failure = status === "rejected" ? outcome.reason : undefined;
  await judge(clean, scenario, failure, outcome.value);
  return { failure, result: outcome.value, requests };
}

async function judge(
  clean: ObjectStore,
  { wanted, mayFailWith = [] }: Scenario,
  failure: unknown,
  result: unknown,
): Promise<void> {
  const found = await clean.head("key");
  const isDone =
    wanted === undefined
      ? found === undefined
      : found !== undefined && Buffer.compare(await (await clean.get("key")).bytes(), wanted) === 0;
  if (failure === undefined) {
    expect(isDone).toBe(true);
    const put = result as PutResult | undefined;
    if (put?.putId !== undefined) expect([found?.putId, found?.version]).toEqual([put.putId, put.version]);
    return;
  }
  if (!isStoreError(failure)) throw failure;
  // Nobody else writes: there is no one whose object it could be.
  if (!mayFailWith.includes(failure.code)) expect(["ALREADY_EXISTS", "VERSION_MISMATCH"]).not.toContain(failure.code);
  if (failure.outcome === "none" && !mayFailWith.includes(failure.code)) expect(isDone).toBe(false);
}

describe.for(Object.keys(scenarios))("%s", (name) => {
  const scenario = scenarios[name] as Scenario;

  test.for(Object.keys(faults))("%s, at each request", async (faultName) => {
    const { requests, failure } = await runWith(scenario);
    expect(failure).toBeUndefined();
    expect(requests).toBeGreaterThan(0);
    for (let at = 0; at < requests; at++) {
      const run = await runWith(scenario, faults[faultName], at);
      const code = isStoreError(run.failure) ? run.failure.code : run.failure;
      if (!(scenario.mayFailWith ?? []).includes(code as string)) expect(code, `request ${at}`).toBeUndefined();
    }
  });

  test.for(Object.keys(damages))("bits that flip on the way, %s, at each request", async (damageName) => {
    const { requests } = await runWith(scenario);
    for (let at = 0; at < requests; at++) {
      const { failure } = await runWith(scenario, damages[damageName], at);
      if (failure !== undefined) expect(failure).toMatchObject({ name: "StoreError", outcome: "none" });
    }
  });
});

test("bits that flip on the way back are noticed, and the bytes read again", async () => {
  const scenario = scenarios["get"] as Scenario;
  const damage: FaultAction = { kind: "corruptBody", at: 1000 };
  // The first request tells of the object, the second one brings the bytes.
  const { failure, requests } = await runWith(scenario, damage, 1);
  expect(failure).toBeUndefined();
  expect(requests).toBeGreaterThan(2);
});
