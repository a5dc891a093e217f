/**
 * Goal: each call of the driver sends the request that the JSON API documents, once, and understands the answer.
 * Method: a scripted server; what it received is compared word for word.
 */
import { crc64Nvme } from "@varve/fs-core";
import { describe, expect, test } from "vitest";
import { createGcsDriver } from "../src/gcs-driver.ts";
import { call, digits, openFixture, putOf, refusal, resource } from "./support/driver-fixture.ts";

/** The parts of a multipart/related body, split by its boundary. */
function partsOf(body: Buffer, contentType = ""): Buffer[] {
  const boundary = `--${/boundary=(\S+)/.exec(contentType)?.[1]}`;
  const parts: Buffer[] = [];
  for (let at = body.indexOf(boundary); ; ) {
    const next = body.indexOf(boundary, at + boundary.length);
    if (next < 0) return parts;
    const part = body.subarray(at + boundary.length + 2, next - 2);
    parts.push(part.subarray(part.indexOf("\r\n\r\n") + 4));
    at = next;
  }
}

describe("put", () => {
  test.for([
    ["without a condition", {}, null],
    ["ifAbsent", { ifAbsent: true }, "0"],
    ["ifMatch", { ifMatch: "17" }, "17"],
  ] as const)("%s", async ([, condition, wanted]) => {
    const { driver, server } = await openFixture([resource()]);
    expect(await driver.put("a/b", digits, putOf(condition), call)).toEqual({ version: "1700000000000001" });
    const [{ method, path, query, headers, body }] = server.received as [(typeof server.received)[0]];
    expect([method, path, query.get("uploadType")]).toEqual(["POST", "/upload/storage/v1/b/bucket/o", "multipart"]);
    expect(query.get("ifGenerationMatch")).toBe(wanted);
    const [described, bytes] = partsOf(body, headers["content-type"]);
    expect(JSON.parse(String(described))).toEqual({
      name: "a/b",
      contentType: "text/plain",
      metadata: { varveputid: "0123456789abcdef0123456789abcdef" },
      crc32c: "4waSgw==",
    });
    expect(bytes).toEqual(Buffer.from(digits));
    expect(headers["content-length"]).toBe(String(body.byteLength));
  });

  test("sends bytes that look like the end of a part", async () => {
    const { driver, server } = await openFixture(() => resource({ crc32c: undefined, size: "14" }));
    const bytes = Buffer.from("\r\n--varve--\r\n\0");
    await driver.put("a", bytes, putOf(), call);
    const [{ headers, body }] = server.received as [(typeof server.received)[0]];
    expect(partsOf(body, headers["content-type"])[1]).toEqual(bytes);
  });

  test.for([
    [{ ifAbsent: true }, "ALREADY_EXISTS"],
    [{ ifMatch: "17" }, "VERSION_MISMATCH"],
  ] as const)("refused with %j", async ([condition, code]) => {
    const { driver } = await openFixture([refusal(412, "conditionNotMet")]);
    await expect(driver.put("a", digits, putOf(condition), call)).rejects.toMatchObject({ code, outcome: "none" });
  });

  test.for(["0", "", "abc", "-1", "1e3", "1 ", "18446744073709551616"])(
    "never sends ifMatch %j, which is no version",
    async (ifMatch) => {
      const { driver, server } = await openFixture([]);
      await expect(driver.put("a", digits, putOf({ ifMatch }), call)).rejects.toMatchObject({
        code: "VERSION_MISMATCH",
      });
      expect(server.received).toEqual([]);
    },
  );

  test("does not send bytes that are not what their checksum says", async () => {
    const { driver, server } = await openFixture([resource()]);
    const putting = driver.put("a", digits, putOf({ checksum: crc64Nvme(digits) ^ 1n }), call);
    await expect(putting).rejects.toMatchObject({ code: "CORRUPT", outcome: "none", retryable: false });
    expect(server.received).toEqual([]);
    await driver.put("a", digits, putOf({ checksum: crc64Nvme(digits) }), call);
  });

  test("a gateway that does not know the way does not say that nothing is there", async () => {
    const lost = {
      status: 404,
      headers: { "content-type": "text/plain" },
      bytes: Buffer.from("default backend - 404"),
    };
    const { driver } = await openFixture(() => lost);
    await expect(driver.head("a", call)).rejects.toMatchObject({ code: "UNAVAILABLE", outcome: "none" });
    await expect(driver.get("a", {}, call)).rejects.toMatchObject({ code: "UNAVAILABLE", outcome: "none" });
    await expect(driver.delete("a", {}, call)).rejects.toMatchObject({ code: "UNAVAILABLE", outcome: "unknown" });
  });

  test("a page of somebody else is no deletion", async () => {
    const { driver } = await openFixture([
      { status: 200, bytes: Buffer.from("<html>Sign in</html>") },
      { status: 200 },
    ]);
    await expect(driver.delete("a", {}, call)).rejects.toMatchObject({ code: "UNAVAILABLE", outcome: "unknown" });
    await driver.delete("a", {}, call);
  });

  // What was there before is gone with it, unless nothing was.
  test.for([
    [{ ifAbsent: true }, "none", true],
    [{}, "unknown", true],
    [{ ifMatch: "17" }, "unknown", false],
  ] as const)(
    "deletes what a server stored wrongly on the condition %j, and only that generation",
    async ([condition, outcome, retryable]) => {
      const { driver, server } = await openFixture([resource({ crc32c: "AAAAAA==" }), { status: 204 }]);
      await expect(driver.put("a b", digits, putOf(condition), call)).rejects.toMatchObject({
        code: "CORRUPT",
        outcome,
        retryable,
      });
      expect(server.received[1]).toMatchObject({ method: "DELETE", path: "/storage/v1/b/bucket/o/a%20b" });
      expect(server.received[1]?.query.get("generation")).toBe("1700000000000001");
    },
  );

  test("says so when it cannot delete it", async () => {
    const { driver } = await openFixture([resource({ size: "8" }), refusal(403, "forbidden")]);
    await expect(driver.put("a", digits, putOf(), call)).rejects.toMatchObject({ code: "CORRUPT", outcome: "unknown" });
  });

  test.for([
    ["nothing", { json: undefined }],
    ["no JSON", { bytes: Buffer.from("<html>") }],
    ["no generation", { json: { size: "9" } }],
    ["generation 0", { json: { size: "9", generation: "0" } }],
    ["no size", { json: { generation: "1" } }],
  ] as const)("does not take %s for a success", async ([, reply]) => {
    const { driver } = await openFixture([reply]);
    const wanted = { code: "UNAVAILABLE", outcome: "unknown" };
    await expect(driver.put("a", digits, putOf(), call)).rejects.toMatchObject(wanted);
  });
});

describe("head", () => {
  test("knows the object", async () => {
    const { driver, server } = await openFixture([resource({ metadata: { Owner: "me" } })]);
    expect(await driver.head("a/b", call)).toMatchObject({
      key: "a/b",
      size: 9,
      version: "1700000000000001",
      lastModifiedMs: Date.UTC(2024, 4, 6, 7, 8, 9, 123),
      metadata: { owner: "me" },
      contentType: "text/plain",
      checksum: undefined,
    });
    expect(server.received[0]).toMatchObject({ method: "GET", path: "/storage/v1/b/bucket/o/a%2Fb" });
    expect(server.received[0]?.query.get("alt")).toBeNull();
  });

  test("knows that there is none, and tells it from a bucket that is missing", async () => {
    const { driver } = await openFixture([
      refusal(404, "notFound", "No such object: bucket/a"),
      refusal(404, "notFound", "The specified bucket does not exist."),
    ]);
    expect(await driver.head("a", call)).toBeUndefined();
    await expect(driver.head("a", call)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("delete", () => {
  test("is idempotent without ifMatch", async () => {
    const { driver, server } = await openFixture([{ status: 204 }, refusal(404, "notFound")]);
    await driver.delete("a", {}, call);
    await driver.delete("a", {}, call);
    expect(server.received.map(({ method, query }) => [method, query.size])).toEqual([
      ["DELETE", 0],
      ["DELETE", 0],
    ]);
  });

  test("with ifMatch tells what happened", async () => {
    const { driver, server } = await openFixture([refusal(412, "conditionNotMet"), refusal(404, "notFound")]);
    await expect(driver.delete("a", { ifMatch: "5" }, call)).rejects.toMatchObject({ code: "VERSION_MISMATCH" });
    await expect(driver.delete("a", { ifMatch: "5" }, call)).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(server.received[0]?.query.get("ifGenerationMatch")).toBe("5");
  });

  test("does not take a missing bucket for success", async () => {
    const { driver } = await openFixture([refusal(404, "notFound", "The specified bucket does not exist.")]);
    await expect(driver.delete("a", {}, call)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("every request", () => {
  test("names who pays", async () => {
    const { driver, server } = await openFixture(() => ({ ...resource(), status: 200 }), { userProject: "payer" });
    await driver.head("a", call);
    await driver.put("a", digits, putOf(), call);
    await driver.delete("a", {}, call);
    expect(server.received.map(({ query }) => query.get("userProject"))).toEqual(["payer", "payer", "payer"]);
  });

  test("is answered with little: more is cut from a refusal, and no success", async () => {
    const { driver } = await openFixture([
      { status: 403, bytes: new Uint8Array(200_000).fill(97) },
      { bytes: new Uint8Array(17 * 2 ** 20).fill(32) },
    ]);
    await expect(driver.head("a", call)).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await expect(driver.head("a", call)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  test("goes below the path of the endpoint", async () => {
    const { server } = await openFixture(() => resource());
    const below = createGcsDriver({ bucket: "bucket", endpoint: `${server.url}/proxy/` });
    await below.head("a", call);
    await below.close();
    expect(server.received[0]?.path).toBe("/proxy/storage/v1/b/bucket/o/a");
  });

  test("is refused after close, which may be called again", async () => {
    const { driver, server } = await openFixture(() => resource());
    await driver.head("a", call);
    await driver.close();
    await driver.close();
    await expect(driver.head("a", call)).rejects.toMatchObject({ code: "CLOSED" });
    await server.idle();
    expect(server.received).toHaveLength(1);
  });
});
