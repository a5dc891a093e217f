/**
 * Goal: an upload in parts stores exactly its bytes, in one step at `completeUpload`, whatever answers are lost; and it
 * can be given up.
 * Method: a server that keeps a session as the documentation says and loses what the test asks; every request is counted.
 */
import {
  crc64Nvme,
  type DriverPart,
  type ObjectStoreDriver,
  type UploadedPart,
  type WriteCondition,
} from "@varve/fs-core";
import { describe, expect, test } from "vitest";
import { crc32c, formatCrc32c } from "../src/crc32c.ts";
import { createGcsDriver } from "../src/gcs-driver.ts";
import { call, type Fixture, openFixture, putOf, refusal } from "./support/driver-fixture.ts";
import type { Reply } from "./support/scripted-server.ts";
import { type SessionFaults, sessionSecret, type SessionServer, sessionServer } from "./support/session-server.ts";

const unit = 262_144;
const content = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 9)) & 255);
const bytes = content(2 * unit + 1000);

async function openUpload(faults: SessionFaults = {}): Promise<Fixture & SessionServer> {
  const session = sessionServer(faults);
  return { ...session, ...(await openFixture(session.answer)) };
}

/** `size` bytes of a part. */
function partsOf(all: Uint8Array, size: number): DriverPart[] {
  const count = Math.max(1, Math.ceil(all.byteLength / size));
  return Array.from({ length: count }, (_, index) => ({
    number: index + 1,
    offset: index * size,
    bytes: all.subarray(index * size, (index + 1) * size),
    checksum: crc64Nvme(all.subarray(index * size, (index + 1) * size)),
    isLast: index === count - 1,
  }));
}

/** Tries what fails in a way that may pass, as the common engine does. */
async function retried<T>(send: () => Promise<T>, attemptsMax = 4): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      if (attempt === attemptsMax || !(error as { retryable: boolean }).retryable) throw error;
    }
  }
}

async function upload(
  driver: ObjectStoreDriver,
  all: Uint8Array,
  partBytes: number,
  condition: WriteCondition = {},
): Promise<{ version: string; uploadId: string; parts: UploadedPart[] }> {
  const uploadId = await driver.beginUpload("a b", putOf(condition), call);
  const parts: UploadedPart[] = [];
  for (const part of partsOf(all, partBytes)) {
    parts.push(await retried(() => driver.uploadPart("a b", uploadId, part, call)));
  }
  const request = { ...putOf(condition), size: all.byteLength };
  const { version } = await retried(() => driver.completeUpload("a b", uploadId, parts, request, call));
  return { version, uploadId, parts };
}

describe("an upload", () => {
  test.for([
    ["of one short part", 10, unit],
    ["of nothing", 0, unit],
    ["of whole units", 2 * unit, unit],
    ["of one part of many units and a rest", 2 * unit + 1000, 8 * unit],
    ["of several parts", 2 * unit + 1000, unit],
    ["of a last part that is shorter than a unit", unit + 1, unit],
  ] as const)("%s", async ([, length, partBytes]) => {
    const { driver, server, stored, isComplete } = await openUpload();
    const all = content(length);
    const { parts } = await upload(driver, all, partBytes);
    expect(stored().equals(all)).toBe(true);
    expect(isComplete()).toBe(true);
    expect(parts.map(({ checksum }) => checksum)).toEqual(partsOf(all, partBytes).map(({ checksum }) => checksum));
    // Only the last request names the total, so only it can make the object appear.
    const totals = server.received.slice(1).map(({ headers }) => headers["content-range"]?.split("/")[1]);
    expect(totals).toEqual([...totals.slice(1).map(() => "*"), String(length)]);
    expect(server.received.at(-1)?.headers["x-goog-hash"]).toBe(`crc32c=${formatCrc32c(crc32c(all))}`);
    expect(server.received.at(-1)?.body.byteLength).toBeLessThan(unit);
  });

  test("begins with its name, what is stored beside it, and the condition", async () => {
    const { driver, server } = await openUpload();
    await upload(driver, bytes, unit, { ifMatch: "17" });
    const [{ method, path, query, headers, body }] = server.received as [(typeof server.received)[0]];
    expect([method, path]).toEqual(["POST", "/upload/storage/v1/b/bucket/o"]);
    expect([query.get("uploadType"), query.get("name"), query.get("ifGenerationMatch")]).toEqual([
      "resumable",
      "a b",
      "17",
    ]);
    expect(headers["x-upload-content-type"]).toBe("text/plain");
    expect(JSON.parse(String(body))).toMatchObject({ contentType: "text/plain", metadata: putOf().metadata });
  });

  test("keeps the last part although its buffer is used again", async () => {
    const { driver, stored } = await openUpload();
    const uploadId = await driver.beginUpload("a", putOf(), call);
    const buffer = content(100);
    const wanted = Buffer.from(buffer);
    const part = { number: 1, offset: 0, bytes: buffer, checksum: crc64Nvme(buffer), isLast: true };
    const sent = await driver.uploadPart("a", uploadId, part, call);
    buffer.fill(0);
    await driver.completeUpload("a", uploadId, [sent], { ...putOf(), size: 100 }, call);
    expect(stored().equals(wanted)).toBe(true);
  });
});

describe("lost answers", () => {
  // Requests: 0 begins, 1 and 2 are parts, 3 completes; each loss adds a question about the status.
  test.for([
    ["of the first part", [1], 5],
    ["of the second part", [2], 5],
    ["of the end", [3], 5],
    ["of a part and of the question about it", [1, 2], 6],
    ["of the end, twice", [3, 4], 6],
  ] as const)("%s", async ([, loseAnswerOf, requests]) => {
    const { driver, server, stored } = await openUpload({ loseAnswerOf });
    const { version } = await upload(driver, bytes, unit);
    expect(version).toBe("1700000000000001");
    expect(stored().equals(bytes)).toBe(true);
    expect(server.received).toHaveLength(requests);
  });

  test("a server that keeps less than it was sent gets the rest only", async () => {
    const { driver, server, stored } = await openUpload({ keepOnly: { 1: unit } });
    await upload(driver, bytes, 2 * unit);
    expect(stored().equals(bytes)).toBe(true);
    expect(server.received.slice(1).map(({ headers }) => headers["content-range"])).toEqual([
      `bytes 0-${2 * unit - 1}/*`,
      `bytes ${unit}-${2 * unit - 1}/*`,
      `bytes ${2 * unit}-${bytes.byteLength - 1}/${bytes.byteLength}`,
    ]);
  });

  test("a server that keeps a part of the end", async () => {
    const { driver, stored } = await openUpload({ keepOnly: { 3: 400 } });
    await upload(driver, bytes, unit);
    expect(stored().equals(bytes)).toBe(true);
  });

  test("a server that keeps a part of the end, and whose answer is lost, gets the rest only", async () => {
    const { driver, server, stored } = await openUpload({ keepOnly: { 3: 400 }, loseAnswerOf: [3] });
    await upload(driver, bytes, unit);
    expect(stored().equals(bytes)).toBe(true);
    expect(server.received.slice(4).map(({ headers }) => headers["content-range"])).toEqual([
      "bytes */*",
      `bytes ${2 * unit + 400}-${bytes.byteLength - 1}/${bytes.byteLength}`,
    ]);
  });

  test("completing again, later, gives the same version", async () => {
    const { driver, server } = await openUpload();
    const { uploadId, parts, version } = await upload(driver, bytes, unit);
    const again = await driver.completeUpload("a b", uploadId, parts, { ...putOf(), size: bytes.byteLength }, call);
    expect(again).toEqual({ version });
    expect(server.received.at(-1)?.headers["content-range"]).toBe("bytes */*");
  });

  test("another driver goes on where the first one ended", async () => {
    const { driver, server, stored } = await openUpload();
    const [first, last] = partsOf(bytes, 2 * unit) as [DriverPart, DriverPart];
    const uploadId = await driver.beginUpload("a b", putOf(), call);
    const parts = [await driver.uploadPart("a b", uploadId, first, call)];
    const other = createGcsDriver({ bucket: "bucket", endpoint: server.url });
    parts.push(await other.uploadPart("a b", uploadId, last, call));
    await other.completeUpload("a b", uploadId, parts, { ...putOf(), size: bytes.byteLength }, call);
    await other.close();
    expect(stored().equals(bytes)).toBe(true);
  });

  test("bytes that the store forgot are no success", async () => {
    const { driver } = await openUpload();
    const [, last] = partsOf(bytes, 2 * unit) as [DriverPart, DriverPart];
    const uploadId = await driver.beginUpload("a b", putOf(), call);
    await expect(driver.uploadPart("a b", uploadId, last, call)).rejects.toMatchObject({
      code: "IO",
      retryable: false,
    });
  });

  test("the end of the last part, held by a driver that is gone, is no success", async () => {
    const { driver, server, isComplete } = await openUpload();
    const uploadId = await driver.beginUpload("a b", putOf(), call);
    const parts: UploadedPart[] = [];
    for (const part of partsOf(bytes, 2 * unit)) parts.push(await driver.uploadPart("a b", uploadId, part, call));
    const other = createGcsDriver({ bucket: "bucket", endpoint: server.url });
    const request = { ...putOf(), size: bytes.byteLength };
    await expect(other.completeUpload("a b", uploadId, parts, request, call)).rejects.toMatchObject({ code: "IO" });
    await other.close();
    expect(isComplete()).toBe(false);
  });
});

describe("refusals", () => {
  const at = (index: number, reply: Reply): SessionFaults => ({ instead: { [index]: reply } });

  test.for([
    ["at the beginning", 0, { ifAbsent: true }, refusal(412, "conditionNotMet"), "ALREADY_EXISTS"],
    ["at the end", 3, { ifAbsent: true }, refusal(412, "conditionNotMet"), "ALREADY_EXISTS"],
    ["at the end", 3, { ifMatch: "17" }, refusal(412, "conditionNotMet"), "VERSION_MISMATCH"],
    ["at a part", 2, {}, { status: 410, headers: { "x-guploader-uploadid": "x" } }, "NOT_FOUND"],
    ["at a part", 2, {}, { status: 499, headers: { "x-guploader-uploadid": "x" } }, "NOT_FOUND"],
    ["at the end", 3, {}, { status: 499 }, "NOT_FOUND"],
    ["at the end", 3, {}, refusal(404, "notFound"), "NOT_FOUND"],
    ["at the end", 3, {}, refusal(400, "invalid", 'Provided CRC32C "A" does not match'), "CORRUPT"],
    ["at the end", 3, {}, refusal(429, "rateLimitExceeded"), "THROTTLED"],
  ] as const)("%s", async ([, index, condition, reply, code]) => {
    const { driver, isComplete } = await openUpload({
      instead: Object.fromEntries([0, 1, 2, 3].map((offset) => [index + offset, reply])),
    });
    // An upload that is not there any more may have been completed by an attempt of which nobody heard.
    const outcome = code === "NOT_FOUND" ? "unknown" : "none";
    await expect(upload(driver, bytes, unit, condition)).rejects.toMatchObject({ code, outcome });
    expect(isComplete()).toBe(false);
  });

  test.for([
    [{ ifAbsent: true }, "none"],
    [{}, "unknown"],
  ] as const)("an object with another checksum does not stay: %j", async ([condition, outcome]) => {
    const { driver, server } = await openUpload({ crc32c: "AAAAAA==" });
    await expect(upload(driver, bytes, unit, condition)).rejects.toMatchObject({ code: "CORRUPT", outcome });
    expect(server.received.at(-1)).toMatchObject({ method: "DELETE", path: "/storage/v1/b/bucket/o/a%20b" });
    expect(server.received.at(-1)?.query.get("generation")).toBe("1700000000000001");
  });

  test.for([
    ["no address", { status: 200 }],
    ["a foreign address", { headers: { location: "https://evil.example/upload?upload_id=canary" } }],
    ["an address that is none", { headers: { location: "upload?upload_id=canary" } }],
  ] as const)("an upload with %s is not begun", async ([, reply]) => {
    const { driver } = await openUpload(at(0, reply));
    const error: unknown = await driver.beginUpload("a", putOf(), call).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "UNAVAILABLE" });
    expect((error as Error).message).not.toContain("canary");
  });

  test.for(["bytes=5-9", "bytes=0-", "0-9", "bytes=0-9,20-30"])("a Range %j is not believed", async (range) => {
    const { driver } = await openUpload(at(1, { status: 308, headers: { range } }));
    const uploadId = await driver.beginUpload("a", putOf(), call);
    const [part] = partsOf(bytes, unit) as [DriverPart];
    await expect(driver.uploadPart("a", uploadId, part, call)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  test.for([
    ["of another size", 0, unit + 1],
    ["at another offset", 1, unit],
  ] as const)("a part %s is not sent", async ([, offset, size]) => {
    const { driver, server } = await openUpload();
    const uploadId = await driver.beginUpload("a", putOf(), call);
    const all = content(size);
    const part = { number: 1, offset, bytes: all, checksum: crc64Nvme(all), isLast: false };
    await expect(driver.uploadPart("a", uploadId, part, call)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(server.received).toHaveLength(1);
  });
});

test("a part that is not what its checksum says is not sent", async () => {
  const { driver, server } = await openUpload();
  const uploadId = await driver.beginUpload("a", putOf(), call);
  const [part] = partsOf(bytes, unit) as [DriverPart];
  const changed = { ...part, checksum: part.checksum ^ 1n };
  await expect(driver.uploadPart("a", uploadId, changed, call)).rejects.toMatchObject({ code: "CORRUPT" });
  expect(server.received).toHaveLength(1);
});

describe("giving an upload up", () => {
  test.for([
    ["a live one", undefined],
    ["one that expired", { status: 410 }],
    ["one that is not there", refusal(404, "notFound")],
  ] as const)("%s", async ([, reply]) => {
    const { driver, server } = await openUpload(reply === undefined ? {} : { instead: { 1: reply } });
    const uploadId = await driver.beginUpload("a", putOf(), call);
    await driver.abortUpload("a", uploadId, call);
    expect(server.received[1]?.method).toBe("DELETE");
    expect(server.received[1]?.query.get("upload_id")).toBe(sessionSecret);
  });

  test.for([
    "https://evil.example/upload?upload_id=1",
    "http://storage.googleapis.com.evil.example/",
    "https://user:canary@storage.googleapis.com/",
    "not a URL",
    "",
  ])("never sends to %j", async (uploadId) => {
    const driver = createGcsDriver({
      bucket: "bucket",
      authClient: { getRequestHeaders: () => Promise.reject(new Error()) },
    });
    await expect(driver.abortUpload("a", uploadId, call)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await driver.close();
  });
});
