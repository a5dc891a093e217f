// Goal: a conditional write whose answer was lost is never taken for somebody else's, nor somebody else's for our own.
// Method: the engine on this driver, before a server that stores, hangs up, and then refuses.
import { createObjectStore, type ObjectStore } from "@varve/fs-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { driverAt } from "./driver-under-test.ts";
import { date, xml } from "./scripted-driver.ts";
import { type Script, type ScriptedAnswer, type ScriptedServer, startScriptedServer } from "./scripted-server.ts";

let server: ScriptedServer;
let store: ObjectStore;
let putId = "";
beforeAll(async () => {
  server = await startScriptedServer();
});
beforeEach(() => {
  putId = "";
  store = createObjectStore(driverAt(server.url), { retry: { attemptsMax: 3, baseDelayMs: 1, maxDelayMs: 1 } });
});
afterEach(() => store.close());
afterAll(() => server.close());

const taken: ScriptedAnswer = { ...xml("<Error><Code>PreconditionFailed</Code></Error>"), status: 412 };
const noUpload: ScriptedAnswer = { ...xml("<Error><Code>NoSuchUpload</Code></Error>"), status: 404 };

/** Takes the whole request, notes its put id, and hangs up. */
const storeAndHangUp: Script = (request) => {
  putId = String(request.headers["x-amz-meta-varveputid"]);
  request.resume();
  request.on("end", () => request.socket.destroy());
};

/** What is there, put by whom. */
const put =
  (whose: () => string): Script =>
  (_request, response) => {
    const headers = { etag: '"v9"', "last-modified": date, "content-length": 3, "x-amz-meta-varveputid": whose() };
    response.writeHead(200, headers).end();
  };

test("our own put, refused the second time", async () => {
  server.play(
    storeAndHangUp,
    taken,
    put(() => putId),
  );
  const result = await store.put("k", new Uint8Array(3), { ifAbsent: true });
  expect(putId).toMatch(/^[0-9a-f]{32}$/);
  expect(result).toMatchObject({ version: "v9", putId });
});

test("another's put, when ours did not arrive", async () => {
  server.play(
    storeAndHangUp,
    taken,
    put(() => "0".repeat(32)),
  );
  await expect(store.put("k", new Uint8Array(3), { ifAbsent: true })).rejects.toMatchObject({
    code: "ALREADY_EXISTS",
    key: "k",
    store: "s3://logs",
  });
});

test("a refusal at once is one, when another's object is there", async () => {
  server.play(
    taken,
    put(() => "0".repeat(32)),
  );
  await expect(store.put("k", new Uint8Array(3), { ifAbsent: true })).rejects.toMatchObject({
    code: "ALREADY_EXISTS",
    outcome: "none",
  });
});

test("an upload that was completed, by an answer that said it failed", async () => {
  const begun: Script = (request, response) => {
    putId = String(request.headers["x-amz-meta-varveputid"]);
    const { body } = xml("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
    request.resume();
    request.on("end", () => response.writeHead(200, { "content-type": "application/xml" }).end(body));
  };
  const part: ScriptedAnswer = { status: 200, headers: { etag: '"p"' } };
  const failed = xml("<Error><Code>InternalError</Code></Error>");
  server.play(
    begun,
    part,
    part,
    failed,
    noUpload,
    put(() => putId),
  );
  const options = { ifAbsent: true, partBytes: 5 << 20, concurrency: 1 };
  const source = [new Uint8Array(5 << 20), new Uint8Array(10)];
  expect(await store.putStream("k", source, options)).toMatchObject({ version: "v9", size: (5 << 20) + 10 });
});

test("what the store asks for is waited for, and then it goes on", async () => {
  const busy = { ...xml("<Error><Code>SlowDown</Code></Error>"), status: 503, headers: { "retry-after": "0" } };
  server.play(busy, busy, { status: 200, headers: { etag: '"v1"' } });
  expect(await store.put("k", new Uint8Array(3), { ifAbsent: true })).toMatchObject({ version: "v1" });
  expect(server.requests.length).toBe(3);
});

test("a put that was carried out each time and answered with SlowDown is not said to have changed nothing", async () => {
  const busy: Script = (request, response) => {
    request.resume();
    request.on("end", () => {
      const { body } = xml("<Error><Code>SlowDown</Code></Error>");
      response.writeHead(503, { "content-type": "application/xml" }).end(body);
    });
  };
  server.play(busy, busy, busy);
  await expect(store.put("k", new Uint8Array(3))).rejects.toMatchObject({ code: "THROTTLED", outcome: "unknown" });
});
