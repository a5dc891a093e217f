// Goal: a sweep drops the uploads that are old by the store's clock, and no other.
// Method: a store in memory on a manual clock; uploads of several ages, prefixes, a dry run, stores that cannot.
import { expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { createObjectStore } from "./driver-store.ts";
import { MemoryDriver } from "./memory-driver.ts";
import { sweepUploads } from "./sweep-uploads.ts";

const put = { metadata: {}, contentType: "text/plain", checksum: undefined };
const call = { signal: new AbortController().signal };

test("old uploads go, young ones stay, and nothing else is touched", async () => {
  const clock = new ManualClock({ wallUs: 1_700_000_000_000_000 });
  const driver = new MemoryDriver({ clock });
  const store = createObjectStore(driver);
  await store.put("kept", new Uint8Array(1));
  await driver.beginUpload("a/old", put, call);
  await driver.beginUpload("b/old", put, call);
  clock.advance(3_600_000);
  await driver.beginUpload("a/young", put, call);
  clock.advance(10_000);
  const left = async (): Promise<string[]> => {
    const keys: string[] = [];
    for await (const { key } of store.listIncompleteUploads()) keys.push(key);
    return keys.toSorted();
  };
  expect((await sweepUploads(store)).swept).toEqual([]);
  const dry = await sweepUploads(store, { minAgeMs: 3_600_000, dryRun: true });
  expect([dry.swept.map(({ key }) => key), dry.kept]).toEqual([["a/old", "b/old"], 1]);
  expect(await left()).toEqual(["a/old", "a/young", "b/old"]);
  expect((await sweepUploads(store, { minAgeMs: 3_600_000, prefix: "a/" })).swept.map(({ key }) => key)).toEqual([
    "a/old",
  ]);
  expect(await left()).toEqual(["a/young", "b/old"]);
  expect((await sweepUploads(store, { minAgeMs: 0 })).swept).toHaveLength(2);
  const objects: string[] = [];
  for await (const entry of store.list()) if (entry.kind === "object") objects.push(entry.key);
  expect(objects).toEqual(["kept"]);
  await store.close();
});

test("what cannot be swept, and ages that are none, are refused", async () => {
  const driver = new MemoryDriver();
  const store = createObjectStore(driver);
  await expect(sweepUploads(store, { minAgeMs: -1 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  const forgetful = new MemoryDriver();
  Object.assign(forgetful, { capabilities: { ...forgetful.capabilities, abortUploads: false } });
  await expect(sweepUploads(createObjectStore(forgetful))).rejects.toMatchObject({ code: "UNSUPPORTED" });
  await expect(sweepUploads(store, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
});
