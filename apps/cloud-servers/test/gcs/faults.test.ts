// Goal: each fault does to one request what it says, before or after the commit, and to no other.
// Method: a rule for one request; then a look at what the client got and what is stored.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { FaultAction, FaultRule, GcsServer } from "@varve/cloud-servers";
import { ManualClock } from "@varve/fs-core/testing";
import { put, raw, start, withServer } from "./raw-http.ts";

const upload = "POST /upload/storage/v1/b/bucket/o?uploadType=media&name=n";
const media = "GET /storage/v1/b/bucket/o/n?alt=media";

/** The next request has the fault, others have none. */
function once(server: GcsServer, action: FaultAction): void {
  server.faults.add({ nth: 1, action });
}
const names = (server: GcsServer): string[] => server.objects("bucket").map(({ name }) => name);

test.for([
  [429, "rateLimitExceeded"],
  [503, "backendError"],
  [500, "internalError"],
  [502, "backendError"],
  [408, "requestTimeout"],
  [409, "conflict"],
  [401, "authError"],
] as const)("status %i, before and after the commit", async ([status, reason]) => {
  await withServer({}, async (server) => {
    once(server, { kind: "status", when: "before", status, retryAfterSeconds: 2 });
    const before = await raw(server, upload, { body: Buffer.alloc(1_000_000) });
    expect([before.status, before.reason, before.headers["retry-after"], names(server)]).toEqual([
      status,
      reason,
      "2",
      [],
    ]);
    once(server, { kind: "status", when: "after", status });
    const after = await raw(server, upload, { body: "x" });
    expect([after.status, after.reason, after.headers["retry-after"], names(server)]).toEqual([
      status,
      reason,
      undefined,
      ["n"],
    ]);
    expect((await raw(server, media)).body.toString()).toBe("x");
    expect(server.requests.map((request) => request.status)).toEqual([status, status, 200]);
  });
});

test("a reset, before and after the commit", async () => {
  await withServer({}, async (server) => {
    once(server, { kind: "reset", when: "before" });
    await expect(raw(server, upload, { body: "x" })).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(names(server)).toEqual([]);
    once(server, { kind: "reset", when: "after" });
    await expect(raw(server, upload, { body: "x" })).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(names(server)).toEqual(["n"]);
    expect(server.requests.map(({ status }) => status)).toEqual([undefined, undefined]);
    once(server, { kind: "reset", when: "before" });
    await expect(raw(server, "GET /no/such/path")).rejects.toMatchObject({ code: "ECONNRESET" });
  });
});

test("a hang ends when the server closes", async () => {
  await withServer({}, async (server) => {
    once(server, { kind: "hang", when: "before" });
    const first = raw(server, upload, { body: "x" });
    await expect.poll(() => server.requests.length, { timeout: 25_000 }).toBe(1);
    once(server, { kind: "hang", when: "after" });
    const second = raw(server, upload, { body: "x" });
    await expect.poll(() => names(server), { timeout: 25_000 }).toEqual(["n"]);
    const ends = Promise.allSettled([first, second]);
    await server.close();
    expect((await ends).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });
});

test.for(["fin", "reset"] as const)("an answer cut short by a %s", async (how) => {
  await withServer({}, async (server) => {
    await put(server, "n", Buffer.alloc(1_000_000, "abc"));
    for (const afterBytes of [0, 1, 400_000, 999_999]) {
      once(server, { kind: "cutBody", afterBytes, how });
      await expect(raw(server, media)).rejects.toMatchObject({ code: "ECONNRESET" });
    }
    expect((await raw(server, media)).body.length).toBe(1_000_000);
  });
});

test("a stalled answer comes whole in the end, or never", async () => {
  const clock = new ManualClock();
  await withServer({ clock }, async (server) => {
    const bytes = Buffer.alloc(1_000_000, "abc");
    await put(server, "n", bytes);
    once(server, { kind: "stallBody", afterBytes: 500_000, ms: 5000 });
    const answer = raw(server, media);
    await expect.poll(() => clock.pendingTimers, { timeout: 25_000 }).toBe(1);
    clock.advance(5000);
    expect((await answer).body.equals(bytes)).toBe(true);
    once(server, { kind: "stallBody", afterBytes: 500_000 });
    const never = Promise.allSettled([raw(server, media)]);
    await expect.poll(() => server.requests[2]?.status, { timeout: 25_000 }).toBe(200);
    await server.close();
    expect(await never).toMatchObject([{ status: "rejected", reason: { code: "ECONNRESET" } }]);
  });
});

test("latency passes before anything happens", async () => {
  const clock = new ManualClock();
  await withServer({ clock }, async (server) => {
    once(server, { kind: "latency", ms: 1000 });
    const answer = raw(server, upload, { body: "x" });
    await expect.poll(() => clock.pendingTimers, { timeout: 25_000 }).toBe(1);
    expect(names(server)).toEqual([]);
    clock.advance(1000);
    expect((await answer).status).toBe(200);
    expect(names(server)).toEqual(["n"]);
  });
});

test("a byte of the answer is damaged, the stored one is not", async () => {
  await withServer({}, async (server) => {
    await put(server, "n", "hello");
    for (const [at, text] of [
      [0, "iello"],
      [3, "helmo"],
      [99, "helln"],
    ] as const) {
      once(server, { kind: "corruptBody", at });
      expect((await raw(server, media)).body.toString()).toBe(text);
    }
    expect((await raw(server, media)).body.toString()).toBe("hello");
  });
});

test("a byte of the request is damaged: a checksum notices, nothing else does", async () => {
  await withServer({}, async (server) => {
    const body = Buffer.alloc(300_000, "abc");
    for (const at of [0, 70_000, 299_999, 999_999]) {
      once(server, { kind: "corruptRequest", at });
      expect((await raw(server, upload, { body })).status).toBe(200);
      const stored = Buffer.from(server.objects("bucket")[0]?.bytes() ?? []);
      const damaged = [...stored.keys()].filter((index) => stored[index] !== body[index]);
      expect(damaged).toEqual([Math.min(at, 299_999)]);
      once(server, { kind: "corruptRequest", at });
      const headers = { "x-goog-hash": `md5=${createHash("md5").update(body).digest("base64")}` };
      expect((await raw(server, upload, { body, headers })).reason).toBe("invalid");
    }
  });
});

test("a request that comes twice: the client hears of the second time", async () => {
  await withServer({}, async (server) => {
    once(server, { kind: "duplicate" });
    const created = await raw(server, `${upload}&ifGenerationMatch=0`, { body: "x" });
    expect([created.status, created.reason, names(server)]).toEqual([412, "conditionNotMet", ["n"]]);
    once(server, { kind: "duplicate" });
    expect((await raw(server, "DELETE /storage/v1/b/bucket/o/n")).status).toBe(404);
    expect(server.requests.length).toBe(2);
  });
});

test.for<[Omit<FaultRule, "action">, boolean[]]>([
  [{ operation: "objects.insert.media" }, [true, false, false, false]],
  [{ operation: ["objects.getMedia", "uploads.put"] }, [false, true, false, true]],
  [{ operation: "unknown" }, [false, false, true, false]],
  [{ method: ["POST", "PUT"] }, [true, false, false, true]],
  [{ path: "/bucket/a/b" }, [false, true, false, false]],
  // The name of the object is in the query, or was in that of the upload's start.
  [{ path: "/bucket/n" }, [true, false, false, true]],
  [{ path: "/" }, [true, true, false, true]],
])("a rule sees what a request is: %j", async ([rule, expected]) => {
  await withServer({}, async (server) => {
    const session = await start(server, "n");
    const active = server.faults.add({ ...rule, action: { kind: "status", status: 418, when: "before" } });
    const hits: boolean[] = [];
    for (const line of [upload, "GET /storage/v1/b/bucket/o/a%2Fb?alt=media", "GET /elsewhere?a=b", `PUT ${session}`]) {
      hits.push((await raw(server, line)).status === 418);
    }
    expect(hits).toEqual(expected);
    expect(active.injected).toBe(expected.filter(Boolean).length);
  });
});

test("an error says what the rule tells it to", async () => {
  const action: FaultAction = { kind: "status", status: 403, when: "before", code: "userProject", message: "Pay." };
  await withServer({ faults: [{ action }] }, async (server) => {
    const answer = await raw(server, media);
    expect([answer.status, answer.reason, answer.json["error"]]).toMatchObject([
      403,
      "userProject",
      { message: "Pay." },
    ]);
  });
});

test("rules come over HTTP too, without a token; those of S3 alone are refused", async () => {
  await withServer({ token: "secret" }, async (server) => {
    const body = { operation: "objects.getMedia", action: { kind: "status", status: 503, when: "before" } };
    expect((await raw(server, "POST /-/faults", { body })).json).toEqual({ rules: 1 });
    expect((await raw(server, media)).status).toBe(503);
    expect((await raw(server, "GET /-/faults")).json).toMatchObject({
      injected: 1,
      rules: [{ rule: body, matched: 1 }],
    });
    const foreign = await raw(server, "POST /-/faults", { body: { action: { kind: "failKeys", contains: "a" } } });
    expect([foreign.status, foreign.body.toString()]).toEqual([400, expect.stringContaining("does not play failKeys")]);
    expect((await raw(server, "DELETE /-/faults")).json).toEqual({ rules: 0 });
    expect((await raw(server, media)).status).toBe(401);
    expect(server.requests.length).toBe(2);
  });
});
