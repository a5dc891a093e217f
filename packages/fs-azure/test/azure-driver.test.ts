// Goal: what only this backend has: names exactly as given, blocks and their uploads, listings from a key on, versions in one
// form, and objects that other programs left behind.
// Method: the driver against the vendor's emulator, looked at from the other side through the vendor's client.
import { crc64Nvme, createObjectStore, type DriverPut, type ListEntry, type ObjectStoreDriver } from "@varve/fs-core";
import { oddKeys } from "@varve/fs-core/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createAzureDriver } from "../src/index.ts";
import { type Azurite, startAzurite } from "./support/azurite.ts";

let azurite: Azurite;
let container: string;
let driver: ObjectStoreDriver;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());
beforeEach(async () => {
  container = await azurite.createContainer();
  const { account, accountKey, endpoint } = azurite;
  driver = createAzureDriver({ account, accountKey, endpoint, container });
});
afterEach(() => driver.close());

const call = { signal: new AbortController().signal };
const request: DriverPut = { metadata: { name: "value" }, contentType: "text/plain", checksum: undefined };

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What the vendor's client sees. */
async function namesThere(): Promise<string[]> {
  return (await collect(azurite.service.getContainerClient(container).listBlobsFlat())).map(({ name }) => name);
}

async function textOf(key: string): Promise<string> {
  const { chunks } = await driver.get(key, {}, call);
  return Buffer.concat(await collect(chunks)).toString();
}

async function send(
  key: string,
  uploadId: string,
  texts: readonly string[],
): Promise<Awaited<ReturnType<ObjectStoreDriver["uploadPart"]>>[]> {
  const sending = texts.map((text, index) => {
    const bytes = bytesOf(text);
    const isLast = index === texts.length - 1;
    const part = { number: index + 1, offset: 0, bytes, checksum: crc64Nvme(bytes), isLast };
    return driver.uploadPart(key, uploadId, part, call);
  });
  return Promise.all(sending);
}

describe("names", () => {
  const longest = ["é".repeat(512), `${Array(8).fill("n".repeat(127)).join("/")}n`];
  const keys = [
    ...oddKeys,
    ...["a b", "a+b", "100%", "%25", "a#b", "a?b=c&d", "x&y", "k=v", "semi;colon", "日本語/ключ", "😀", "~!$'()*,:@"],
    ...longest,
  ];

  test.each([...new Set(keys)].map((key) => [key]))("%j is one name on both sides", async (key) => {
    await driver.put(key, bytesOf(key), { ...request, ifAbsent: true }, call);
    expect(await namesThere()).toEqual([key]);
    expect(await textOf(key)).toBe(key);
    expect((await driver.head(key, call))?.key).toBe(key);
    await driver.copy(
      (await driver.head(key, call)) as never,
      "copy",
      { ...request, ifSourceMatch: await versionOf(key) },
      call,
    );
    expect(await textOf("copy")).toBe(key);
    await driver.delete(key, {}, call);
    expect(await driver.head(key, call)).toBeUndefined();
  });

  test.each(["a\\b", "ends.", "folder./a", "..", "a/../b"])("%j never reaches the service", async (key) => {
    const store = createObjectStore(driver);
    await expect(store.put(key, bytesOf("x"))).rejects.toMatchObject({ code: "INVALID_KEY" });
    expect(await namesThere()).toEqual([]);
  });
});

async function versionOf(key: string): Promise<string> {
  const info = await driver.head(key, call);
  if (info === undefined) throw new Error(`no ${key}`);
  return info.version;
}

test("a version is the same from every request, and has no quotes", async () => {
  const { version } = await driver.put("a", bytesOf("x"), request, call);
  const body = await driver.get("a", {}, call);
  await body.chunks[Symbol.asyncIterator]().return?.();
  const page = await driver.listPage(
    { prefix: "", startAfter: undefined, delimiter: undefined, pageSize: 10, pageToken: undefined },
    call,
  );
  expect([await versionOf("a"), body.info.version, page.objects[0]?.version]).toEqual([version, version, version]);
  expect(version).not.toContain('"');
});

test("bytes that do not fit their checksum are refused, whole and in parts", async () => {
  const wrong = { ...request, checksum: 1n };
  await expect(driver.put("a", bytesOf("x"), wrong, call)).rejects.toMatchObject({ code: "CORRUPT", outcome: "none" });
  const part = { number: 1, offset: 0, bytes: bytesOf("x"), checksum: 1n, isLast: true };
  const sending = driver.uploadPart("a", await driver.beginUpload("a", request, call), part, call);
  await expect(sending).rejects.toMatchObject({ code: "CORRUPT", outcome: "none" });
  expect(await driver.head("a", call)).toBeUndefined();
});

describe("uploads", () => {
  test("two of one key do not touch each other until one is committed; then the other has to begin again", async () => {
    const first = await driver.beginUpload("a", request, call);
    const second = await driver.beginUpload("a", request, call);
    expect(first).not.toBe(second);
    const firstParts = await send("a", first, ["one ", "two"]);
    const secondParts = await send("a", second, ["three ", "four"]);
    await driver.completeUpload("a", first, firstParts, { ...request, size: 7 }, call);
    expect(await textOf("a")).toBe("one two");
    const late = driver.completeUpload("a", second, secondParts, { ...request, size: 10 }, call);
    await expect(late).rejects.toMatchObject({ code: "CONFLICT", outcome: "none" });
    const ifAbsent = { ...request, ifAbsent: true, size: 10 };
    const refused = driver.completeUpload("a", second, secondParts, ifAbsent, call);
    await expect(refused).rejects.toMatchObject({ code: "ALREADY_EXISTS", outcome: "none" });
    expect(await textOf("a")).toBe("one two");
  });

  test("a part that is sent again replaces itself", async () => {
    const id = await driver.beginUpload("a", request, call);
    await send("a", id, ["old ", "tail"]);
    const parts = await send("a", id, ["new ", "tail"]);
    await driver.completeUpload("a", id, parts, { ...request, size: 8 }, call);
    expect(await textOf("a")).toBe("new tail");
  });

  test("what waits is listed by upload, other programs' blocks too; what is done is not", async () => {
    const one = await driver.beginUpload("waiting/a", request, call);
    const two = await driver.beginUpload("waiting/a", request, call);
    await send("waiting/a", one, ["1", "2"]);
    await send("waiting/a", two, ["3"]);
    const theirs = azurite.service.getContainerClient(container).getBlockBlobClient("waiting/theirs");
    await theirs.stageBlock(Buffer.from("0001").toString("base64"), bytesOf("x"), 1);
    await driver.put("waiting/done", bytesOf("x"), request, call);
    await driver.put("waiting/empty", new Uint8Array(0), request, call);
    const page = await driver.listUploadsPage?.({ prefix: "waiting/", pageToken: undefined }, call);
    const shown = page?.uploads.map(({ key, uploadId }) => `${key} ${uploadId}`).toSorted();
    expect(shown).toEqual([`waiting/a ${one}`, `waiting/a ${two}`, "waiting/theirs foreign"].toSorted());
    expect(page?.uploads.every(({ startedMs }) => (startedMs ?? 0) > 1_500_000_000_000)).toBe(true);
    // They are no objects.
    expect(await driver.head("waiting/a", call)).toBeUndefined();
    const listed = await driver.listPage(
      { prefix: "", startAfter: undefined, delimiter: undefined, pageSize: 10, pageToken: undefined },
      call,
    );
    expect(listed.objects.map(({ key }) => key)).toEqual(["waiting/done", "waiting/empty"]);
  });

  test("blocks of other programs below a name, with ids of another length, are told of", async () => {
    const theirs = azurite.service.getContainerClient(container).getBlockBlobClient("a");
    await theirs.stageBlock(Buffer.from("0001").toString("base64"), bytesOf("x"), 1);
    const id = await driver.beginUpload("a", request, call);
    await expect(send("a", id, ["1"])).rejects.toMatchObject({ code: "CONFLICT", retryable: false, outcome: "none" });
  });

  test("parts may be copied from ranges of one version of another object", async () => {
    await driver.put("from here", bytesOf("0123456789"), request, call);
    const from = await driver.head("from here", call);
    if (from === undefined) throw new Error("it was just put");
    const id = await driver.beginUpload("to", request, call);
    const copy = (number: number, offset: number): ReturnType<NonNullable<ObjectStoreDriver["uploadPartCopy"]>> => {
      if (driver.uploadPartCopy === undefined) throw new Error("it has it");
      return driver.uploadPartCopy("to", id, { number, from, offset, size: 5 }, call);
    };
    const parts = [await copy(1, 5), await copy(2, 0)];
    await driver.completeUpload("to", id, parts, { ...request, size: 10 }, call);
    expect(await textOf("to")).toBe("5678901234");
    await driver.put("from here", bytesOf("replaced!!"), request, call);
    await expect(copy(3, 0)).rejects.toMatchObject({ code: "VERSION_MISMATCH", outcome: "none" });
  });
});

describe("listings", () => {
  async function names(options: {
    prefix?: string;
    startAfter?: string;
    delimiter?: "/";
    pageSize?: number;
  }): Promise<string[]> {
    const store = createObjectStore(driver);
    const nameOf = (entry: ListEntry): string => (entry.kind === "object" ? entry.key : entry.prefix);
    return (await collect(store.list(options))).map(nameOf).toSorted();
  }

  test.each<[string, Parameters<typeof names>[0], string[]]>([
    ["after a key that is there", { startAfter: "a/2" }, ["b", "b/1/x", "b/2", "c", "é", "日", "￮", "😀"]],
    ["after a key that is not", { startAfter: "a/20" }, ["b", "b/1/x", "b/2", "c", "é", "日", "￮", "😀"]],
    ["within a prefix", { prefix: "b/", startAfter: "b/1" }, ["b/1/x", "b/2"]],
    ["after a key before the prefix", { prefix: "b/", startAfter: "a/9" }, ["b/1/x", "b/2"]],
    ["after a key behind the prefix", { prefix: "b/", startAfter: "c" }, []],
    ["after the prefix itself", { prefix: "b", startAfter: "b" }, ["b/1/x", "b/2"]],
    ["with folders, within one", { delimiter: "/", startAfter: "b/1/x" }, ["b/", "c", "é", "日", "￮", "😀"]],
    ["with folders below a prefix", { prefix: "b/", delimiter: "/", startAfter: "b/1/a" }, ["b/1/", "b/2"]],
    ["where UTF-8 and UTF-16 differ", { startAfter: "￮" }, ["😀"]],
    ["where UTF-8 and UTF-16 differ, the other way", { startAfter: "😀" }, []],
    ["in pages of one", { startAfter: "a/1", pageSize: 1 }, ["a/2", "b", "b/1/x", "b/2", "c", "é", "日", "￮", "😀"]],
  ])("%s", async (_, options, expected) => {
    const keys = ["a/1", "a/2", "b", "b/1/x", "b/2", "c", "é", "日", "￮", "😀"];
    await Promise.all(keys.map((key) => driver.put(key, bytesOf(key), request, call)));
    expect(await names(options)).toEqual(expected.toSorted());
  });

  test("snapshots are not shown", async () => {
    await driver.put("a", bytesOf("x"), request, call);
    await azurite.service.getContainerClient(container).getBlobClient("a").createSnapshot();
    expect(await names({})).toEqual(["a"]);
    await expect(driver.delete("a", {}, call)).rejects.toMatchObject({ code: "PERMISSION_DENIED", outcome: "none" });
  });
});

test("a container that is not there is named", async () => {
  const { account, accountKey, endpoint } = azurite;
  const other = createAzureDriver({ account, accountKey, endpoint, container: "not-there" });
  const attempts = [
    () => other.head("a", call),
    () => other.put("a", bytesOf("x"), request, call),
    () => other.delete("a", {}, call),
  ];
  for (const attempt of attempts) {
    await expect(attempt()).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining('"not-there"'),
    });
  }
  await other.close();
});

test("a lease keeps a put out", async () => {
  await driver.put("a", bytesOf("x"), request, call);
  await azurite.service.getContainerClient(container).getBlobClient("a").getBlobLeaseClient().acquireLease(15);
  await expect(driver.put("a", bytesOf("y"), request, call)).rejects.toMatchObject({
    code: "PERMISSION_DENIED",
    vendorCode: "LeaseIdMissing",
    retryable: false,
  });
});
