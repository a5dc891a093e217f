/**
 * Goal: copies and renames carry their conditions on both sides, and listings show exactly the keys after `startAfter`.
 * Method: a scripted server; requests and answers are compared.
 */
import type { DriverInfo, DriverList } from "@varve/fs-core";
import { describe, expect, test } from "vitest";
import { call, openFixture, putOf, refusal, resource } from "./support/driver-fixture.ts";
import type { Reply } from "./support/scripted-server.ts";

const from = { key: "from/a", version: "7" } as DriverInfo;
const more = (rewriteToken: string): Reply => ({ json: { done: false, rewriteToken } });
const done: Reply = { json: { done: true, resource: { generation: "9", size: "5" } } };

describe("copy", () => {
  test("goes on until the store has copied everything", async () => {
    const { driver, server } = await openFixture([more("t/1"), more("t&2"), done]);
    const request = { ...putOf({ ifAbsent: true }), ifSourceMatch: "7" };
    expect(await driver.copy(from, "to b", request, call)).toEqual({ version: "9" });
    for (const { method, path, query, body } of server.received) {
      expect([method, path]).toEqual(["POST", "/storage/v1/b/bucket/o/from%2Fa/rewriteTo/b/bucket/o/to%20b"]);
      expect([query.get("ifSourceGenerationMatch"), query.get("ifGenerationMatch")]).toEqual(["7", "0"]);
      expect(JSON.parse(String(body))).toEqual({ contentType: "text/plain", metadata: putOf().metadata });
    }
    expect(server.received.map(({ query }) => query.get("rewriteToken"))).toEqual([null, "t/1", "t&2"]);
  });

  test.for([
    ["the destination is there", { ifAbsent: true }, resource({ generation: "7" }), "ALREADY_EXISTS"],
    ["the destination is another version", { ifMatch: "3" }, resource({ generation: "7" }), "VERSION_MISMATCH"],
    ["the source is another version", { ifAbsent: true }, resource({ generation: "8" }), "VERSION_MISMATCH"],
    ["the source is gone", { ifAbsent: true }, refusal(404, "notFound"), "NOT_FOUND"],
  ] as const)("refused because %s", async ([, condition, source, code]) => {
    const { driver, server } = await openFixture([refusal(412, "conditionNotMet"), source]);
    const request = { ...putOf(condition), ifSourceMatch: "7" };
    await expect(driver.copy(from, "to", request, call)).rejects.toMatchObject({ code, outcome: "none" });
    expect(server.received[1]).toMatchObject({ method: "GET", path: "/storage/v1/b/bucket/o/from%2Fa" });
  });

  test.for([{}, { done: false }, { done: false, rewriteToken: "" }, { done: true }])(
    "does not believe %j",
    async (json) => {
      const { driver } = await openFixture([{ json }]);
      const copying = driver.copy(from, "to", { ...putOf(), ifSourceMatch: "7" }, call);
      await expect(copying).rejects.toMatchObject({ code: "UNAVAILABLE", outcome: "unknown" });
    },
  );
});

describe("rename", () => {
  test.for([
    [true, "0"],
    [false, null],
  ] as const)("with ifAbsent %s is one request", async ([ifAbsent, wanted]) => {
    const { driver, server } = await openFixture([resource()]);
    await driver.rename?.("a/b", "c/d", { ifAbsent }, call);
    expect(server.received).toMatchObject([{ method: "POST", path: "/storage/v1/b/bucket/o/a%2Fb/moveTo/o/c%2Fd" }]);
    expect(server.received[0]?.query.get("ifGenerationMatch")).toBe(wanted);
  });

  test.for([
    [refusal(412, "conditionNotMet"), "ALREADY_EXISTS", "none"],
    [refusal(404, "notFound"), "NOT_FOUND", "none"],
    [refusal(503, "backendError"), "UNAVAILABLE", "unknown"],
    [{ fault: "reset" }, "UNAVAILABLE", "unknown"],
    [{ json: {} }, "UNAVAILABLE", "unknown"],
  ] as const)("refused with %j", async ([reply, code, outcome]) => {
    const { driver } = await openFixture([reply]);
    await expect(driver.rename?.("a", "b", { ifAbsent: true }, call)).rejects.toMatchObject({ code, outcome });
  });
});

const item = (name: string): unknown => ({ name, generation: "3", size: "5", updated: "2024-01-01T00:00:00Z" });
const list = (fields: Partial<DriverList> = {}): DriverList => ({
  prefix: "",
  startAfter: undefined,
  delimiter: undefined,
  pageSize: 100,
  pageToken: undefined,
  ...fields,
});

const kind = "storage#objects";

describe("list", () => {
  test("shows a page and where the next begins", async () => {
    const { driver, server } = await openFixture([
      { json: { kind, items: [item("a b"), item("ü")], prefixes: ["c/"], nextPageToken: "more" } },
      { json: { kind } },
    ]);
    const request = list({ prefix: "x&y", delimiter: "/", pageSize: 7 });
    expect(await driver.listPage(request, call)).toEqual({
      objects: ["a b", "ü"].map((key) => ({ key, size: 5, version: "3", lastModifiedMs: Date.UTC(2024, 0, 1) })),
      prefixes: ["c/"],
      nextPageToken: "more",
    });
    const next = await driver.listPage({ ...request, pageToken: "more" }, call);
    expect(next).toEqual({ objects: [], prefixes: [], nextPageToken: undefined });
    const [{ path, query }] = server.received as [(typeof server.received)[0]];
    expect(path).toBe("/storage/v1/b/bucket/o");
    expect([query.get("prefix"), query.get("delimiter"), query.get("maxResults")]).toEqual(["x&y", "/", "7"]);
    expect(server.received[1]?.query.get("pageToken")).toBe("more");
  });

  test("after a key does not show the key", async () => {
    const { driver, server } = await openFixture([{ json: { kind, items: [item("b"), item("b/c")] } }]);
    const { objects } = await driver.listPage(list({ startAfter: "b" }), call);
    expect(objects.map(({ key }) => key)).toEqual(["b/c"]);
    expect(server.received[0]?.query.get("startOffset")).toBe("b");
  });

  test.for([
    ["only that key", [item("b/c")], []],
    ["another one", [item("b/c"), item("b/d")], ["b/"]],
    ["one after it, and not the key", [item("b/d")], ["b/"]],
  ] as const)("after a key in a folder that has %s", async ([, items, wanted]) => {
    const { driver, server } = await openFixture([
      { json: { kind, prefixes: ["b/", "c/"] } },
      { json: { kind, items } },
    ]);
    const { prefixes } = await driver.listPage(list({ startAfter: "b/c", delimiter: "/" }), call);
    expect(prefixes).toEqual([...wanted, "c/"]);
    expect(server.received).toHaveLength(2);
    expect(server.received[1]?.query.get("prefix")).toBe("b/");
  });

  test("after a key in a folder of which the store shows no more yet", async () => {
    const { driver } = await openFixture([
      { json: { kind, prefixes: ["b/"] } },
      { json: { kind, nextPageToken: "more" } },
    ]);
    const { prefixes } = await driver.listPage(list({ startAfter: "b/c", delimiter: "/" }), call);
    expect(prefixes).toEqual(["b/"]);
  });

  test("stays in the store's folder", async () => {
    const { driver, server } = await openFixture(
      [{ json: { kind, items: [item("top/in/a")], prefixes: ["top/in/b/"] } }],
      {
        prefix: "top/in",
      },
    );
    expect(driver.url).toBe("gs://bucket/top/in");
    expect(driver.capabilities.limits.keyBytesMax).toBe(1024 - "top/in/".length);
    const page = await driver.listPage(list({ startAfter: "Z" }), call);
    expect([page.objects[0]?.key, page.prefixes]).toEqual(["a", ["b/"]]);
    const { query } = server.received[0] as (typeof server.received)[0];
    expect([query.get("prefix"), query.get("startOffset")]).toEqual(["top/in/", "top/in/Z"]);
  });

  test.for([
    {},
    { error: "sign in" },
    "nothing",
    [],
    null,
    { kind: "storage#object" },
    { kind, items: {} },
    { kind, items: [{}] },
    { kind, items: [{ ...(item("a") as object), name: 5 }] },
    { kind, prefixes: "a" },
  ])("does not believe %j", async (json) => {
    const { driver } = await openFixture([{ json }]);
    await expect(driver.listPage(list(), call)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});
