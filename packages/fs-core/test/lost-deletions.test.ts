// Goal: a deletion whose answers are lost resolves only when the object is gone, and never says that it certainly changed
// nothing when an attempt of it may have.
// Method: faults on deletions only, so that what is there can be looked up; an attempt that is not answered, then a refusal.
import { describe, expect, test } from "vitest";
import { createObjectStore, isStoreError, MemoryDriver, type ObjectStore, type PutResult } from "../src/index.ts";
import { type DriverFault, FaultyDriver } from "../src/testing/index.ts";

const bytes = new Uint8Array(10).fill(1);
const lost: readonly DriverFault[] = [{ kind: "lose-answer" }, { kind: "lose-request" }];
const refusal: DriverFault = { kind: "refuse", code: "PERMISSION_DENIED" };

/** A store that holds `a`, `b` and `c`, and whose deletions go wrong: the first of each key in one way, the next in others. */
async function storeWith(
  isMany: boolean,
  ...faults: readonly DriverFault[]
): Promise<{ clean: ObjectStore; store: ObjectStore; versions: string[] }> {
  const memory = new MemoryDriver();
  const clean = createObjectStore(memory);
  const versions: string[] = [];
  for (const key of ["a", "b", "c"]) versions.push(((await clean.put(key, bytes)) satisfies PutResult).version);
  let deletions = 0;
  const faulty = new FaultyDriver(memory, (operation) =>
    operation === "delete" || operation === "deleteMany" ? faults[Math.min(deletions++, faults.length - 1)] : undefined,
  );
  if (!isMany) delete faulty.deleteMany;
  const store = createObjectStore(faulty, { retry: { attemptsMax: 3, baseDelayMs: 0 }, concurrency: 1 });
  return { clean, store, versions };
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error;
  }
}

describe.each(lost)("%j", (fault) => {
  const isDone = fault.kind === "lose-answer";

  test.each([true, false])("at every attempt, conditional %s", async (isConditional) => {
    const { clean, store, versions } = await storeWith(true, fault);
    const [version = ""] = versions;
    const failure = await failureOf(store.delete("a", isConditional ? { ifMatch: version } : {}));
    expect((await clean.head("a")) === undefined).toBe(isDone);
    if (isDone) expect(failure).toBeUndefined();
    else expect(failure).toMatchObject({ code: "UNAVAILABLE", outcome: "unknown" });
  });

  test.each([true, false])("at one attempt and a refusal of the next, conditional %s", async (isConditional) => {
    const { store, versions } = await storeWith(true, fault, refusal);
    const [version = ""] = versions;
    const failure = await failureOf(store.delete("a", isConditional ? { ifMatch: version } : {}));
    if (isDone) expect(failure).toBeUndefined();
    else expect(failure).toMatchObject({ code: "PERMISSION_DENIED", outcome: "unknown" });
  });

  test.each([true, false])("at one attempt for many and a refusal of the next, in one request %s", async (isMany) => {
    const { clean, store } = await storeWith(isMany, fault, refusal);
    const failures = await store.deleteMany(["a", "b", "c"]);
    expect(failures.length).toBeGreaterThan(0);
    for (const { key, error } of failures) {
      const isSure = isStoreError(error) && error.outcome === "none";
      if (isSure) expect(await clean.head(key)).toBeDefined();
    }
    expect(failures.find(({ key }) => key === "a")?.error).toMatchObject({ outcome: "unknown" });
  });
});

test("a refusal alone changed nothing and says so", async () => {
  const { clean, store } = await storeWith(true, refusal);
  expect(await failureOf(store.delete("a"))).toMatchObject({ code: "PERMISSION_DENIED", outcome: "none" });
  for (const { error } of await store.deleteMany(["a", "b"])) expect(error).toMatchObject({ outcome: "none" });
  expect(await clean.head("a")).toBeDefined();
});
