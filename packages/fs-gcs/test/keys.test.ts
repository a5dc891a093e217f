/**
 * Goal: every key means the same object on every call.
 * Method: hostile keys through each request that names an object; what the server decodes, once, must be the key.
 */
import type { DriverInfo } from "@varve/fs-core";
import { expect, test } from "vitest";
import { call, digits, openFixture, putOf, resource } from "./support/driver-fixture.ts";

const keys = [
  "plain/key-1.txt",
  "with space/ and  two",
  "plus+sign",
  "percent%20%2F%",
  "hash#tag",
  "question?mark=1",
  "amp&ersand",
  "equals=sign",
  "semi;colon",
  "comma,colon:at@dollar$bang!star*paren()'quote\"",
  "brackets[]{}<>|^~`",
  "ümläut/日本語/🚀",
  "e\u0301 combining",
  "%2e%2e/x",
  "...",
  "upload_id=1&uploadType=media",
  "rewriteTo/b/other/o/x",
  "x".repeat(1024),
  "ü".repeat(512),
] as const;

/** What stands at the end of a path, after `/o/`, decoded once. */
const nameIn = (path: string): string => decodeURIComponent(path.slice(path.lastIndexOf("/o/") + 3));

test.for(keys)("%s", async (key) => {
  const answer = { ...resource(), json: { ...(resource().json as object), done: true, resource: resource().json } };
  const { driver, server } = await openFixture(({ query, method }) => {
    if (query.get("uploadType") === "resumable") return { headers: { location: `${server.url}/upload?upload_id=1` } };
    if (query.get("alt") === "media") return { bytes: digits };
    return method === "GET" && !query.has("maxResults") ? resource() : answer;
  });
  const from = { key, version: "7" } as DriverInfo;
  await driver.head(key, call);
  await driver.get(key, {}, call);
  await driver.delete(key, {}, call);
  await driver.copy(from, "other", { ...putOf(), ifSourceMatch: "7" }, call);
  await driver.copy({ ...from, key: "other" }, key, { ...putOf(), ifSourceMatch: "7" }, call);
  await driver.rename?.(key, key, { ifAbsent: false }, call);
  await driver.put(key, digits, putOf(), call);
  await driver.beginUpload(key, putOf(), call);
  const [head, looked, read, deleted, copyFrom, copyTo, renamed, put, begun] = server.received.map(
    (received) => received,
  );
  for (const received of [head, looked, read, deleted, copyTo, renamed]) expect(nameIn(received?.path ?? "")).toBe(key);
  const before = (path = "", mark = ""): string => nameIn(path.slice(0, path.indexOf(mark)));
  expect(before(copyFrom?.path, "/rewriteTo/")).toBe(key);
  expect(before(renamed?.path, "/moveTo/")).toBe(key);
  const described = /\{.*\}/.exec(put?.body.toString() ?? "")?.[0] ?? "{}";
  expect(JSON.parse(described)).toMatchObject({ name: key });
  expect(begun?.query.get("name")).toBe(key);
  // Nothing but what was meant became a parameter.
  expect([...(head?.query.keys() ?? [])]).toEqual(["fields"]);
});

test.for(keys)("in listings: %s", async (key) => {
  const item = { name: `top/${key}`, generation: "3", size: "5", updated: "2024-01-01T00:00:00Z" };
  const { driver, server } = await openFixture([{ json: { kind: "storage#objects", items: [item] } }], {
    prefix: "top",
  });
  const request = { prefix: key, startAfter: "a", delimiter: undefined, pageSize: 1, pageToken: key };
  const { objects } = await driver.listPage(request, call);
  expect(objects[0]?.key).toBe(key);
  expect(server.received[0]?.query.get("prefix")).toBe(`top/${key}`);
  expect(server.received[0]?.query.get("pageToken")).toBe(key);
});
