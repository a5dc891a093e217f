// Goal: a URL opens the right store or says what is missing; a store that does not keep conditions opens only when asked for.
// Method: drivers that ignore each condition, identities read back and expected, a registry without packages.
import { execFileSync } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import {
  createObjectStore,
  isStoreError,
  MemoryDriver,
  openStore,
  type ObjectStoreDriver,
  StoreError,
  StoreRegistry,
  storeIdKey,
} from "../src/index.ts";

/** A store like many that speak a cloud's protocol: it takes conditions and forgets them. */
function careless(
  conditions: readonly (
    | "put"
    | "completeUpload"
    | "overwrittenIsUntold"
    | "copy"
    | "ifMatch"
    | "completeIfMatch"
    | "neverMatches"
    | "metadata"
    | "refuse"
  )[],
): MemoryDriver {
  const driver = new MemoryDriver();
  const keepsIfMatch = (operation: string): boolean =>
    !conditions.includes("ifMatch") && !(operation === "completeUpload" && conditions.includes("completeIfMatch"));
  // As servers do that compare versions in another form than they give them out.
  const asCompared = (version: string): string => (conditions.includes("neverMatches") ? `"${version}"` : version);
  const strip = <T extends { ifAbsent?: boolean; ifMatch?: string }>(
    operation: "put" | "completeUpload" | "copy",
    put: T,
  ): T => {
    const { ifAbsent, ifMatch, ...rest } = put;
    return {
      ...rest,
      ...(ifAbsent === true && !conditions.includes(operation) ? { ifAbsent } : {}),
      ...(ifMatch !== undefined && keepsIfMatch(operation) ? { ifMatch: asCompared(ifMatch) } : {}),
      ...(conditions.includes("metadata") ? { metadata: {} } : {}),
    } as T;
  };
  const put = driver.put.bind(driver);
  const completeUpload = driver.completeUpload.bind(driver);
  const copy = driver.copy.bind(driver);
  const delete_ = driver.delete.bind(driver);
  driver.put = (key, bytes, request, call) => {
    if (conditions.includes("refuse") && request.ifAbsent === true) {
      return Promise.reject(new StoreError("UNSUPPORTED", "NotImplemented"));
    }
    return put(key, bytes, strip("put", request), call);
  };
  driver.completeUpload = async (key, id, parts, request, call) => {
    const result = await completeUpload(key, id, parts, strip("completeUpload", request), call);
    if (conditions.includes("overwrittenIsUntold")) {
      // As a driver does that has to look what became of a completion: of two in a race, one finds the other's object.
      await new Promise(setImmediate);
      if ((await driver.head(key, call))?.version !== result.version) {
        throw new StoreError("UNAVAILABLE", "no ETag", { outcome: "unknown" });
      }
    }
    return result;
  };
  driver.copy = (from, to, request, call) => copy(from, to, strip("copy", request), call);
  driver.delete = (key, request, call) => delete_(key, conditions.includes("ifMatch") ? {} : request, call);
  return driver;
}

function registryOf(driver: ObjectStoreDriver): StoreRegistry {
  return new StoreRegistry().register("s3", async () => ({ storeBackend: { name: "s3", open: async () => driver } }));
}

test.each([
  [[], {}],
  [["put"], { putIfAbsent: "ignored", mode: "single-writer" }],
  [["completeUpload"], { completeIfAbsent: "ignored" }],
  [["completeUpload", "overwrittenIsUntold"], { completeIfAbsent: "ignored" }],
  [["copy"], { copyIfAbsent: "ignored" }],
  [["ifMatch"], { putIfMatch: "ignored", completeIfMatch: "ignored", deleteIfMatch: "ignored" }],
  [["completeIfMatch"], { completeIfMatch: "ignored" }],
  [["neverMatches"], { putIfMatch: "refused", completeIfMatch: "refused" }],
  [["metadata"], { metadata: "lost", mode: "single-writer" }],
  [["refuse"], { putIfAbsent: "refused", mode: "single-writer" }],
] as const)("probe tells of a store that forgets %j", async (conditions, wanted) => {
  const store = createObjectStore(careless(conditions));
  const report = await store.probe();
  const all = {
    putIfAbsent: "enforced",
    completeIfAbsent: "enforced",
    copyIfAbsent: "enforced",
    putIfMatch: "enforced",
    completeIfMatch: "enforced",
    deleteIfMatch: "enforced",
    metadata: "kept",
    mode: "fenced",
  };
  // Without its metadata no winner is known for the winner.
  if (conditions.some((condition) => condition === "metadata")) expect(report).toMatchObject(wanted);
  else expect(report).toMatchObject({ ...all, ...wanted });
  expect(report.notes.length > 0).toBe(conditions.length > 0);
  await store.close();
});

test("a store that ignores ifAbsent opens only in single-writer mode, and only if asked", async () => {
  const driver = careless(["put"]);
  const registry = registryOf(driver);
  await expect(openStore("s3://bucket/folder", {}, { registry })).rejects.toMatchObject({ code: "UNFENCED" });
  const { mode, probe, store } = await openStore("s3://bucket/folder", { allowSingleWriter: true }, { registry });
  expect(mode).toBe("single-writer");
  expect(probe?.putIfAbsent).toBe("ignored");
  await store.close();
});

test("an earlier probe is taken at its word", async () => {
  const driver = careless(["put"]);
  const registry = registryOf(driver);
  const { probe, store } = await openStore("s3://bucket", { allowSingleWriter: true }, { registry });
  await store.close();
  if (probe === undefined) throw new Error("no probe");
  await expect(openStore("s3://bucket", { probe }, { registry })).rejects.toMatchObject({ code: "UNFENCED" });
  await expect(openStore("s3://bucket", { probe: false }, { registry })).resolves.toMatchObject({ mode: "fenced" });
});

test("a store keeps its identity, and another is WRONG_STORE", async () => {
  const root = await mkdtemp(join(tmpdir(), "varve-open-"));
  try {
    const url = pathToFileURL(join(root, "a")).href;
    const first = await openStore(url, { probe: false });
    await first.store.close();
    const again = await openStore(url, { probe: false, expectedStoreId: first.storeId });
    expect(again.storeId).toBe(first.storeId);
    await again.store.close();
    const other = pathToFileURL(join(root, "b")).href;
    await expect(openStore(other, { probe: false, expectedStoreId: first.storeId })).rejects.toMatchObject({
      code: "WRONG_STORE",
      key: storeIdKey,
    });
    await expect(openStore(other, { expectedStoreId: "short" })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

test("of many that open a new store at once all see the same identity", async () => {
  const driver = new MemoryDriver();
  const registry = registryOf(driver);
  const opened = await Promise.all(
    Array.from({ length: 8 }, () => openStore("s3://bucket", { probe: false }, { registry })),
  );
  expect(new Set(opened.map(({ storeId }) => storeId)).size).toBe(1);
});

test("a damaged identity is CORRUPT", async () => {
  const driver = new MemoryDriver();
  await createObjectStore(driver).put(storeIdKey, new Uint8Array(5));
  await expect(openStore("s3://b1", { probe: false }, { registry: registryOf(driver) })).rejects.toMatchObject({
    code: "CORRUPT",
  });
});

test("a missing package is named", async () => {
  const registry = new StoreRegistry().register("gcs", async () => ({}) as never);
  await expect(openStore("gs://bucket", {}, { registry })).rejects.toMatchObject({ code: "MISSING_PACKAGE" });
  // As an application sees it that installed this package and no other.
  const script = `
    import { openStore } from "@varve/fs-core";
    for (const url of ["s3://bucket", "az://account/container", "gs://bucket"]) {
      await openStore(url).catch((error) => console.log(error.code, error.message));
    }`;
  const root = await mkdtemp(join(tmpdir(), "varve-empty-"));
  try {
    const installed = join(root, "node_modules/@varve/fs-core");
    await cp(new URL("../dist", import.meta.url), join(installed, "dist"), { recursive: true });
    await cp(new URL("../package.json", import.meta.url), join(installed, "package.json"));
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: root,
      // Package managers put the whole workspace on it.
      env: { ...process.env, NODE_PATH: "" },
      encoding: "utf8",
    });
    expect(output.split("\n").slice(0, 3)).toEqual([
      "MISSING_PACKAGE this URL is served by @varve/fs-s3: npm install @varve/fs-s3",
      "MISSING_PACKAGE this URL is served by @varve/fs-azure: npm install @varve/fs-azure",
      "MISSING_PACKAGE this URL is served by @varve/fs-gcs: npm install @varve/fs-gcs",
    ]);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

test("a backend's settings are refused where it takes none", async () => {
  for (const url of ["memory://name", "file:///tmp/varve-never-made"]) {
    const error = await openStore(url, { backend: { region: "x" } }).catch((thrown: unknown) => thrown);
    expect(isStoreError(error) && error.code === "INVALID_ARGUMENT" && error.message.includes("region")).toBe(true);
  }
});

test("a directory that cannot be made is named, and so is a file in its place", async () => {
  const root = await mkdtemp(join(tmpdir(), "varve-place-"));
  try {
    await writeFile(join(root, "file"), "");
    for (const path of [join(root, "file"), join(root, "file/below")]) {
      const url = pathToFileURL(path).href;
      const error = await openStore(url).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "INVALID_ARGUMENT", store: url });
      expect((error as StoreError).message).toContain(url);
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
