/**
 * Goal: a read yields the bytes of one generation, or an error; whatever the server sends instead is noticed.
 * Method: a scripted server that answers rightly, wrongly, partly, and never.
 */
import type { DriverBody, DriverGet } from "@varve/fs-core";
import { describe, expect, test } from "vitest";
import { call, digits, openFixture, refusal, resource } from "./support/driver-fixture.ts";
import type { Reply } from "./support/scripted-server.ts";

const generation = "1700000000000001";

const media = (bytes: Uint8Array = digits, headers: Record<string, string> = {}): Reply => ({
  bytes,
  headers: { "x-goog-generation": generation, "x-goog-metageneration": "1", ...headers },
});

const part = (offset: number, end: number): Reply => ({
  status: 206,
  ...media(digits.subarray(offset, end), { "content-range": `bytes ${offset}-${end - 1}/9` }),
});

async function bytesOf({ chunks }: DriverBody): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const chunk of chunks) pieces.push(chunk);
  return Buffer.concat(pieces).toString();
}

describe("get", () => {
  test("of a whole object pins the generation that was looked at", async () => {
    const { driver, server } = await openFixture([resource(), media()]);
    const body = await driver.get("a", {}, call);
    expect(body).toMatchObject({ info: { key: "a", version: generation }, range: { offset: 0, length: 9 } });
    expect(await bytesOf(body)).toBe("123456789");
    const [, { query, headers }] = server.received as [unknown, (typeof server.received)[0]];
    expect([query.get("alt"), query.get("generation"), query.get("ifGenerationMatch")]).toEqual([
      "media",
      generation,
      null,
    ]);
    expect([headers.range, headers["accept-encoding"]]).toEqual([undefined, "gzip"]);
  });

  test.for<[DriverGet["range"], string, number, number]>([
    [{ offset: 2, length: 3 }, "bytes=2-4", 2, 5],
    [{ offset: 2 }, "bytes=2-8", 2, 9],
    [{ offset: 8, length: 100 }, "bytes=8-8", 8, 9],
    [{ suffixLength: 4 }, "bytes=5-8", 5, 9],
  ])("of %j asks for %s", async ([range, wanted, offset, end]) => {
    const { driver, server } = await openFixture([resource(), part(offset, end)]);
    const body = await driver.get("a", { ...(range === undefined ? {} : { range }) }, call);
    expect(body.range).toEqual({ offset, length: end - offset });
    expect(await bytesOf(body)).toBe("123456789".slice(offset, end));
    expect(server.received[1]?.headers.range).toBe(wanted);
  });

  test.for<[DriverGet["range"], string]>([
    [{ offset: 0, length: 100 }, "more than there is"],
    [{ suffixLength: 9 }, "a suffix of all"],
  ])("of %j, %s, is the whole", async ([range]) => {
    const { driver, server } = await openFixture([resource(), media()]);
    expect(await bytesOf(await driver.get("a", { ...(range === undefined ? {} : { range }) }, call))).toBe("123456789");
    expect(server.received[1]?.headers.range).toBeUndefined();
  });

  test.for<[NonNullable<DriverGet["range"]>, string]>([
    [{ offset: 9 }, "9"],
    [{ offset: 10, length: 1 }, "9"],
    [{ offset: 0 }, "0"],
    [{ suffixLength: 5 }, "0"],
  ])("of %j of %s bytes is INVALID_RANGE", async ([range, size]) => {
    const { driver, server } = await openFixture([resource({ size })]);
    await expect(driver.get("a", { range }, call)).rejects.toMatchObject({ code: "INVALID_RANGE" });
    expect(server.received).toHaveLength(1);
  });

  test("of no bytes needs no second request", async () => {
    const { driver, server } = await openFixture([resource()]);
    const body = await driver.get("a", { range: { offset: 3, length: 0 } }, call);
    expect(body.range).toEqual({ offset: 3, length: 0 });
    expect(await bytesOf(body)).toBe("");
    expect(server.received).toHaveLength(1);
  });

  test("of an empty object", async () => {
    const empty = new Uint8Array(0);
    const { driver } = await openFixture([resource({ size: "0", crc32c: "AAAAAA==" }), media(empty)]);
    expect(await bytesOf(await driver.get("a", {}, call))).toBe("");
  });

  test.for([
    [refusal(404, "notFound"), "NOT_FOUND"],
    [refusal(412, "conditionNotMet"), "VERSION_MISMATCH"],
  ] as const)("with ifMatch, refused", async ([reply, code]) => {
    const { driver, server } = await openFixture([reply]);
    await expect(driver.get("a", { ifMatch: "5" }, call)).rejects.toMatchObject({ code, outcome: "none" });
    expect(server.received[0]?.query.get("ifGenerationMatch")).toBe("5");
  });

  test("with ifMatch wants the live version, not one that is kept", async () => {
    const { driver, server } = await openFixture([resource(), refusal(412, "conditionNotMet")]);
    const reading = driver.get("a", { ifMatch: generation }, call);
    await expect(reading).rejects.toMatchObject({ code: "VERSION_MISMATCH" });
    expect(server.received.map(({ query }) => query.get("ifGenerationMatch"))).toEqual([generation, generation]);
  });

  test("looks again when the object was replaced between the two requests", async () => {
    const replaced = [resource(), refusal(404, "notFound")];
    const { driver } = await openFixture([...replaced, ...replaced, resource(), media()]);
    expect(await bytesOf(await driver.get("a", {}, call))).toBe("123456789");
  });

  test("gives up, to be tried again, when the object is always replaced, and at once when it was deleted", async () => {
    const always = Array.from({ length: 8 }, () => [resource(), refusal(404, "notFound")]).flat();
    const busy = await openFixture(always);
    await expect(busy.driver.get("a", {}, call)).rejects.toMatchObject({ code: "CONFLICT", retryable: true });
    expect(busy.server.received).toHaveLength(16);
    const deleted = await openFixture([resource(), refusal(404, "notFound"), refusal(404, "notFound")]);
    await expect(deleted.driver.get("a", {}, call)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("what is known of a version", () => {
  test("spares the first request", async () => {
    const { driver, server } = await openFixture([resource(), part(0, 4), part(4, 9)]);
    await driver.head("a", call);
    const first = await driver.get("a", { ifMatch: generation, range: { offset: 0, length: 4 } }, call);
    const second = await driver.get("a", { ifMatch: generation, range: { offset: 4 } }, call);
    expect([await bytesOf(first), await bytesOf(second)]).toEqual(["1234", "56789"]);
    expect(server.received).toHaveLength(3);
  });

  test("is asked for again when the metadata has changed", async () => {
    const { driver } = await openFixture([
      resource(),
      media(digits, { "x-goog-metageneration": "2" }),
      resource({ metageneration: "2", metadata: { color: "red" } }),
    ]);
    await driver.head("a", call);
    const body = await driver.get("a", { ifMatch: generation }, call);
    expect(body.info.metadata).toEqual({ color: "red" });
    expect(await bytesOf(body)).toBe("123456789");
  });
});

describe("a server that answers something else", () => {
  test.for<[string, Reply]>([
    ["a whole for a range", media()],
    ["another range", { status: 206, ...media(digits.subarray(1, 4), { "content-range": "bytes 1-3/9" }) }],
    ["another size", { status: 206, ...media(digits.subarray(0, 3), { "content-range": "bytes 0-2/10" }) }],
    ["too few bytes", { status: 206, ...media(digits.subarray(0, 2), { "content-range": "bytes 0-2/9" }) }],
    ["another generation", { ...part(0, 3), headers: { ...part(0, 3).headers, "x-goog-generation": "2" } }],
  ])("%s", async ([, reply]) => {
    const { driver, server } = await openFixture([resource(), reply]);
    const reading = driver.get("a", { range: { offset: 0, length: 3 } }, call);
    await expect(reading).rejects.toMatchObject({ code: "UNAVAILABLE", outcome: "none" });
    await driver.close();
    await server.idle();
  });

  test("other bytes than the object's", async () => {
    const { driver } = await openFixture([resource(), media(new TextEncoder().encode("123456780"))]);
    const body = await driver.get("a", {}, call);
    await expect(bytesOf(body)).rejects.toMatchObject({ code: "CORRUPT" });
  });

  test("a part of the answer: ends early, without an error", async () => {
    const cut: Reply = { ...media(digits.subarray(0, 4), { "content-length": "9" }), fault: "cut" };
    const { driver } = await openFixture([resource(), cut]);
    expect(await bytesOf(await driver.get("a", {}, call))).toBe("1234");
  });
});

describe("leaving a body", () => {
  const endless: Reply = { ...media(digits.subarray(0, 4), { "content-length": "9" }), fault: "stall" };

  test("after some bytes closes its connection", async () => {
    const { driver, server } = await openFixture([resource(), endless]);
    for await (const chunk of (await driver.get("a", {}, call)).chunks) {
      expect(Buffer.from(chunk).toString()).toBe("1234");
      break;
    }
    await server.idle();
  });

  test("before the first byte closes its connection", async () => {
    const { driver, server } = await openFixture([resource(), endless]);
    const { chunks } = await driver.get("a", {}, call);
    await chunks[Symbol.asyncIterator]().return?.();
    await server.idle();
  });

  test("by the signal closes its connection and says why", async () => {
    const { driver, server } = await openFixture([resource(), endless]);
    const controller = new AbortController();
    const { chunks } = await driver.get("a", {}, { signal: controller.signal });
    const reading = chunks[Symbol.asyncIterator]();
    await reading.next();
    const why = new Error("enough");
    controller.abort(why);
    await expect(reading.next()).rejects.toBe(why);
    await server.idle();
  });
});
