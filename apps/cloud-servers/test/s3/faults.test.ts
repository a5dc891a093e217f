// Goal: each fault does what it says, at the moment it says, and the server is as before once the rule is gone.
// Method: raw requests whose connections are watched byte by byte; what the bucket holds tells whether it was committed.
import { type IncomingMessage, request as httpRequest } from "node:http";
import { describe, expect, test } from "vitest";
import type { FaultAction, FaultRule } from "../../src/faults/fault-rule.ts";
import type { S3Server } from "../../src/s3/s3-server.ts";
import { element, type Fixture, md5Hex, startFixture } from "./fixture.ts";
import { type RawRequest, send, signedHeaders } from "./raw-client.ts";

/** What a client sees of an answer that may never end. */
interface Seen {
  readonly status: number | undefined;
  readonly body: string;
  readonly end: "whole" | "cut" | "reset";
}

interface Watched {
  readonly seen: Promise<Seen>;
  /** Resolves when that much of the body came. */
  received(bytes: number): Promise<void>;
}

function watch(server: S3Server, raw: RawRequest): Watched {
  let body = "";
  let status: number | undefined;
  const waiting: { readonly bytes: number; readonly resolve: () => void }[] = [];
  const received = (bytes: number): Promise<void> =>
    new Promise((resolve) => {
      if (status !== undefined && body.length >= bytes) resolve();
      else waiting.push({ bytes, resolve });
    });
  const notify = (): void => {
    for (const { bytes, resolve } of waiting) if (body.length >= bytes) resolve();
  };
  const seen = new Promise<Seen>((resolve) => {
    const headers = signedHeaders(server, raw);
    if (raw.body !== undefined) headers["content-length"] = String(Buffer.byteLength(raw.body));
    const request = httpRequest({
      host: server.host,
      port: server.port,
      method: raw.method,
      path: raw.path,
      headers,
      agent: false,
    });
    let wasReset = false;
    const onError = (error: NodeJS.ErrnoException): void => {
      // An answer that is cut off is "aborted" to Node whichever way the connection ended; the socket knows.
      wasReset ||= error.code === "ECONNRESET" && error.message.startsWith("read");
    };
    request.on("socket", (socket) => socket.on("error", onError));
    request.on("error", onError);
    request.on("response", (response: IncomingMessage) => {
      status = response.statusCode;
      notify();
      response.on("error", () => undefined);
      response.on("data", (piece: Buffer) => {
        body += piece.toString("latin1");
        notify();
      });
      response.on("end", () => resolve({ status, body, end: "whole" }));
    });
    request.on("close", () => resolve({ status, body, end: wasReset ? "reset" : "cut" }));
    request.end(raw.body);
  });
  return { seen, received };
}

const put: RawRequest = { method: "PUT", path: "/bucket/key", body: "data" };
const get: RawRequest = { method: "GET", path: "/bucket/key" };
const isCommitted = ({ server }: Fixture): boolean => server.objects("bucket").has("key");
const started = (action: FaultAction, rule: Omit<FaultRule, "action"> = {}): Promise<Fixture> =>
  startFixture({ faults: [{ ...rule, action }] });

describe("status", () => {
  test.each<[number, string]>([
    [503, "SlowDown"],
    [500, "InternalError"],
    [429, "TooManyRequests"],
    [403, "AccessDenied"],
    [409, "ConditionalRequestConflict"],
    [412, "PreconditionFailed"],
  ])("%i before and after the commit", async (status, code) => {
    for (const when of ["before", "after"] as const) {
      const fixture = await started({ kind: "status", status, when }, { operation: "PutObject", nth: 1 });
      const response = await send(fixture.server, put);
      expect([response.status, response.code, isCommitted(fixture)]).toEqual([status, code, when === "after"]);
      expect(fixture.server.requests.at(-1)?.status).toBe(status);
      expect((await send(fixture.server, put)).status).toBe(200);
    }
  });

  test("says what it is told to", async () => {
    const fixture = await started({
      kind: "status",
      status: 503,
      when: "before",
      code: "Busy",
      message: "Later",
      retryAfterSeconds: 7,
    });
    const response = await send(fixture.server, put);
    expect([response.code, element(response.text, "Message"), response.headers["retry-after"]]).toEqual([
      "Busy",
      "Later",
      "7",
    ]);
  });

  test("a large body is read before the answer, so that the client can read it", async () => {
    const fixture = await started({ kind: "status", status: 503, when: "before" });
    const response = await send(fixture.server, { ...put, body: Buffer.alloc(16 * 2 ** 20) });
    expect([response.status, response.code]).toEqual([503, "SlowDown"]);
  });

  test("an answer to HEAD has no body", async () => {
    const fixture = await started({ kind: "status", status: 503, when: "before" });
    const response = await send(fixture.server, { method: "HEAD", path: "/bucket/key" });
    expect([response.status, response.text]).toEqual([503, ""]);
  });
});

test.each(["before", "after"] as const)("a 200 with an error in it, %s the commit", async (when) => {
  const fixture = await started({ kind: "errorInBody", when }, { operation: "CompleteMultipartUpload" });
  const created = await fixture.ask("POST", "key", { query: { uploads: "" } });
  const uploadId = element(created.text, "UploadId") ?? "";
  await fixture.ask("PUT", "key", { query: { partNumber: "1", uploadId }, body: "x" });
  const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${md5Hex("x")}</ETag></Part></CompleteMultipartUpload>`;
  const done = await fixture.ask("POST", "key", { query: { uploadId }, body });
  expect([done.status, done.code, isCommitted(fixture)]).toEqual([200, "InternalError", when === "after"]);
});

test.each(["before", "after"] as const)("reset %s the commit", async (when) => {
  const fixture = await started({ kind: "reset", when }, { method: "PUT" });
  expect(await watch(fixture.server, put).seen).toEqual({ status: undefined, body: "", end: "reset" });
  expect(isCommitted(fixture)).toBe(when === "after");
  expect(fixture.server.requests[0]?.status).toBeUndefined();
});

test.each(["before", "after"] as const)("hang %s the commit, until the server closes", async (when) => {
  const fixture = await started({ kind: "hang", when }, { method: "PUT" });
  const { seen } = watch(fixture.server, put);
  // The rule counts the request when it arrives; the commit, where there is one, is over when the bucket has it.
  while (fixture.server.faults.injected === 0 || (when === "after" && !isCommitted(fixture))) {
    await send(fixture.server, { method: "HEAD", path: "/bucket" });
  }
  await fixture.server.close();
  expect((await seen).status).toBeUndefined();
  expect(isCommitted(fixture)).toBe(when === "after");
});

describe("bodies of answers", () => {
  const stored = "0123456789".repeat(10);
  const withObject = async (action: FaultAction): Promise<Fixture> => {
    const fixture = await startFixture();
    await send(fixture.server, { ...put, body: stored });
    fixture.server.faults.add({ operation: "GetObject", nth: 1, action });
    return fixture;
  };

  test.each<["fin" | "reset", number, Seen["end"]]>([
    ["fin", 25, "cut"],
    ["fin", 0, "cut"],
    ["reset", 25, "reset"],
  ])("cut by %s after %i bytes", async (how, afterBytes, end) => {
    const fixture = await withObject({ kind: "cutBody", afterBytes, how });
    const seen = await watch(fixture.server, get).seen;
    expect([seen.status, seen.end]).toEqual([200, end]);
    // What was on its way when the reset came may be lost.
    if (how === "fin") expect(seen.body).toBe(stored.slice(0, afterBytes));
    else expect(stored.slice(0, afterBytes).startsWith(seen.body)).toBe(true);
    expect((await send(fixture.server, get)).text).toBe(stored);
  });

  test("stalled after 25 bytes, until the server closes", async () => {
    const fixture = await withObject({ kind: "stallBody", afterBytes: 25 });
    const watched = watch(fixture.server, get);
    await watched.received(25);
    await fixture.server.close();
    const seen = await watched.seen;
    expect([seen.status, seen.body]).toEqual([200, stored.slice(0, 25)]);
    expect(seen.end).not.toBe("whole");
  });

  test("stalled for a while, then whole", async () => {
    const fixture = await withObject({ kind: "stallBody", afterBytes: 25, ms: 60_000 });
    const watched = watch(fixture.server, get);
    await watched.received(25);
    while (fixture.clock.pendingTimers === 0) await send(fixture.server, { method: "HEAD", path: "/bucket" });
    fixture.clock.advance(60_000);
    expect(await watched.seen).toEqual({ status: 200, body: stored, end: "whole" });
  });

  test.each([
    [42, `${stored.slice(0, 42)}3${stored.slice(43)}`],
    [1000, `${stored.slice(0, -1)}8`],
  ])("corrupted in one bit of byte %i, or of the last one", async (at, expected) => {
    const fixture = await withObject({ kind: "corruptBody", at });
    expect((await send(fixture.server, get)).text).toBe(expected);
    expect((await send(fixture.server, get)).text).toBe(stored);
    expect(Buffer.from(fixture.server.objects("bucket").get("key")?.data ?? []).toString()).toBe(stored);
  });
});

test("a byte of the request is corrupted: a hash notices, nothing else does", async () => {
  const fixture = await started({ kind: "corruptRequest", at: 3 }, { method: "PUT" });
  const noticed = await send(fixture.server, put);
  expect([noticed.status, noticed.code, isCommitted(fixture)]).toEqual([400, "XAmzContentSHA256Mismatch", false]);
  expect((await send(fixture.server, { ...put, payloadHash: "UNSIGNED-PAYLOAD" })).status).toBe(200);
  expect((await send(fixture.server, get)).text).toBe("dat`");
});

test("a duplicate whose body the server would not hold is refused", async () => {
  const fixture = await startFixture({ faults: [{ action: { kind: "duplicate" } }], limits: { putBytesMax: 3 } });
  const response = await send(fixture.server, put);
  expect([response.status, isCommitted(fixture)]).toEqual([413, false]);
});

test.each<FaultAction>([
  { kind: "latency", ms: 60_000 },
  { kind: "stallBody", afterBytes: 0, ms: 60_000 },
])("a wait ends when the client goes: $kind", async (action) => {
  const fixture = await started(action, { operation: "GetBucketLocation" });
  const headers = signedHeaders(fixture.server, { method: "GET", path: "/bucket", query: { location: "" } });
  const { host, port } = fixture.server;
  const request = httpRequest({ host, port, path: "/bucket?location=", headers, agent: false });
  request.on("error", () => undefined).end();
  await expect.poll(() => fixture.clock.pendingTimers, { timeout: 25_000 }).toBe(1);
  request.destroy();
  await expect.poll(() => fixture.clock.pendingTimers, { timeout: 25_000 }).toBe(0);
});

test("a duplicate hides its own success behind the condition", async () => {
  const fixture = await started({ kind: "duplicate" }, { operation: "PutObject" });
  const response = await send(fixture.server, { ...put, headers: { "if-none-match": "*" } });
  expect([response.status, response.code, isCommitted(fixture)]).toEqual([412, "PreconditionFailed", true]);
});

test("latency is on the server's clock", async () => {
  const fixture = await started({ kind: "latency", ms: 60_000 }, { method: "PUT" });
  const response = send(fixture.server, put);
  while (fixture.clock.pendingTimers === 0) await send(fixture.server, get);
  expect(isCommitted(fixture)).toBe(false);
  fixture.clock.advance(60_000);
  expect((await response).status).toBe(200);
});

test("closing does not wait for latency", async () => {
  const fixture = await started({ kind: "latency", ms: 60_000 }, { method: "PUT" });
  const { seen } = watch(fixture.server, put);
  while (fixture.clock.pendingTimers === 0) await send(fixture.server, get);
  await fixture.server.close();
  expect((await seen).status).toBeUndefined();
  expect([fixture.clock.pendingTimers, isCommitted(fixture)]).toEqual([0, false]);
});

describe("over HTTP", () => {
  const control = (fixture: Fixture, method: string, body?: string): ReturnType<typeof send> =>
    send(fixture.server, { method, path: "/-/faults", signed: false, ...(body !== undefined && { body }) });

  test("rules are added, counted and ended", async () => {
    const fixture = await startFixture();
    const rule: FaultRule = { path: "bucket/k", action: { kind: "status", status: 500, when: "before" } };
    expect((await control(fixture, "POST", JSON.stringify(rule))).status).toBe(200);
    expect((await send(fixture.server, put)).status).toBe(500);
    expect((await send(fixture.server, { ...put, path: "/bucket/other" })).status).toBe(200);
    expect(JSON.parse((await control(fixture, "GET")).text)).toEqual({
      injected: 1,
      rules: [{ rule, matched: 1, injected: 1 }],
    });
    expect((await control(fixture, "DELETE")).status).toBe(200);
    expect((await send(fixture.server, put)).status).toBe(200);
    expect(fixture.server.requests).toHaveLength(3);
  });

  test.each<[string, string, string | undefined, number]>([
    ["a rule that makes no sense", "POST", '{"action":{"kind":"explode"}}', 400],
    ["what is no JSON", "POST", "{", 400],
    ["too much", "POST", `"${"x".repeat(65_536)}"`, 413],
    ["another method", "PUT", "{}", 405],
  ])("refuses %s", async (_, method, body, status) => {
    const fixture = await startFixture();
    const response = await control(fixture, method, body);
    expect([response.status, typeof JSON.parse(response.text).error]).toEqual([status, "string"]);
    expect(fixture.server.faults.rules).toEqual([]);
  });
});

test("options that make no sense are refused, all of them at once", async () => {
  const attempt = startFixture({ buckets: ["A"], port: 65_536, limits: { putBytesMax: -1 } });
  await expect(attempt).rejects.toThrow(/A is no name for a bucket\nport: got 65536.*\nputBytesMax: got -1/);
});
