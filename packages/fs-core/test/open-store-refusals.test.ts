// Goal: an open that is refused leaves nothing behind, and one that is allowed opens; a probe ends, whatever hangs, and leaves
// no upload.
// Method: wrong options of every kind over a directory that must stay as it was; stores that refuse conditions; drivers of
// which one request hangs or fails.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import {
  createObjectStore,
  MemoryDriver,
  type ObjectStoreDriver,
  openStore,
  type OpenStoreOptions,
  StoreError,
  StoreRegistry,
} from "../src/index.ts";
import { FaultyDriver, ManualClock } from "../src/testing/index.ts";

function registryOf(driver: ObjectStoreDriver): StoreRegistry {
  return new StoreRegistry().register("s3", async () => ({ storeBackend: { name: "s3", open: async () => driver } }));
}

const wrong: readonly [unknown, RegExp][] = [
  [{ concurrency: 0 }, /concurrency/],
  [{ retry: 5 }, /retry/],
  [{ regoin: "x" }, /regoin: not known; known are .*retry.*backend.*probe.*allowSingleWriter.*expectedStoreId.*signal/],
  [{ probe: "no" }, /probe/],
  [{ probe: {} }, /probe/],
  [{ probe: null }, /probe/],
  [{ probe: { mode: "fast" } }, /probe/],
  [{ allowSingleWriter: "false" }, /allowSingleWriter/],
  [{ backend: 5 }, /backend/],
  [{ backend: null }, /backend/],
  [{ backend: [] }, /backend/],
  [{ expectedStoreId: "short" }, /expectedStoreId/],
  [{ expectedStoreId: ["0".repeat(32)] }, /expectedStoreId/],
  [{ signal: "stop" }, /signal/],
  [null, /want an object/],
  [5, /want an object/],
];

test.for(wrong)("%j is refused before anything is made", async ([options, message]) => {
  const root = await mkdtemp(join(tmpdir(), "varve-refused-"));
  try {
    const opening = openStore(pathToFileURL(join(root, "store")).href, options as OpenStoreOptions);
    const error = await opening.then(
      () => new Error("it opened"),
      (thrown: unknown) => thrown as Error,
    );
    expect(error).toMatchObject({ name: "StoreError", code: "INVALID_ARGUMENT" });
    expect(error.message).toMatch(message);
    expect(await readdir(root)).toEqual([]);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

/** A store that knows no conditions and says so, or whose capabilities say so. */
function unconditional(how: "refuses" | "lacks"): MemoryDriver {
  const memory = new MemoryDriver();
  const put = memory.put.bind(memory);
  memory.put = (key, bytes, request, call) =>
    request.ifAbsent === true
      ? Promise.reject(new StoreError("UNSUPPORTED", "NotImplemented"))
      : put(key, bytes, request, call);
  if (how === "refuses") return memory;
  return Object.assign(memory, { capabilities: { ...memory.capabilities, putIfAbsent: false } });
}

test.for(["refuses", "lacks"] as const)("a store that %s conditions opens for a single writer", async (how) => {
  const driver = unconditional(how);
  const parts = { registry: registryOf(driver) };
  await expect(openStore("s3://bucket", {}, parts)).rejects.toMatchObject({ code: "UNFENCED" });
  const first = await openStore("s3://bucket", { allowSingleWriter: true }, parts);
  expect(first.mode).toBe("single-writer");
  const again = await openStore("s3://bucket", { allowSingleWriter: true }, parts);
  expect(again.storeId).toBe(first.storeId);
});

const direct = ["beginUpload", "uploadPart", "completeUpload", "abortUpload", "put", "head", "copy", "delete"] as const;

test.for(direct)("a probe ends although %s hangs", async (hanging) => {
  const clock = new ManualClock();
  const driver = new FaultyDriver(new MemoryDriver(), (operation) =>
    operation === hanging ? { kind: "hang", after: false } : undefined,
  );
  const store = createObjectStore(driver, { retry: false }, { clock });
  let isOver = false;
  const probing = store.probe().then(
    () => (isOver = true),
    () => (isOver = true),
  );
  for (let second = 0; second < 600 && !isOver; second++) {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1000);
  }
  expect(isOver).toBe(true);
  await probing;
  await store.close();
});

test("a probe of which any request fails leaves no upload", async () => {
  let hasFailed = true;
  for (let at = 0; hasFailed; at++) {
    hasFailed = false;
    const memory = new MemoryDriver();
    let uploads = 0;
    const driver = new FaultyDriver(memory, (operation) => {
      if (!["beginUpload", "uploadPart", "completeUpload"].includes(operation) || uploads++ !== at) return undefined;
      hasFailed = true;
      return { kind: "refuse", code: "PERMISSION_DENIED" };
    });
    await createObjectStore(driver, { retry: false })
      .probe()
      .catch(() => {});
    const left: string[] = [];
    for await (const { key } of createObjectStore(memory).listIncompleteUploads()) left.push(key);
    expect(left, `request ${at} failed`).toEqual([]);
  }
});
