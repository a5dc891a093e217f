// Goal: each fault does to one request what it says, before or after the commit, and to no other.
// Method: a hook that returns one fault for one request; then a look at what the client got and what is stored.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { GcsServer } from "@varve/cloud-servers";
import { ManualClock } from "@varve/fs-core/testing";
import { put, raw, withServer } from "./raw-http.ts";

type Fault = NonNullable<Awaited<ReturnType<NonNullable<GcsServer["intercept"]>>>>;

const upload = "POST /upload/storage/v1/b/bucket/o?uploadType=media&name=n";
const media = "GET /storage/v1/b/bucket/o/n?alt=media";

/** The next request has the fault, others have none. */
function once(server: GcsServer, fault: Fault): void {
  let isDone = false;
  server.intercept = () => {
    if (isDone) return undefined;
    isDone = true;
    return fault;
  };
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
    once(server, { kind: "status", when: "before-commit", status, retryAfterSeconds: 2 });
    const before = await raw(server, upload, { body: Buffer.alloc(1_000_000) });
    expect([before.status, before.reason, before.headers["retry-after"], names(server)]).toEqual([
      status,
      reason,
      "2",
      [],
    ]);
    once(server, { kind: "status", when: "after-commit", status });
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
    once(server, { kind: "reset", when: "before-commit" });
    await expect(raw(server, upload, { body: "x" })).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(names(server)).toEqual([]);
    once(server, { kind: "reset", when: "after-commit" });
    await expect(raw(server, upload, { body: "x" })).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(names(server)).toEqual(["n"]);
    expect(server.requests.map(({ status }) => status)).toEqual([undefined, undefined]);
  });
});

test("a hang ends when the server closes", async () => {
  await withServer({}, async (server) => {
    once(server, { kind: "hang", when: "before-commit" });
    const first = raw(server, upload, { body: "x" });
    await expect.poll(() => server.requests.length, { timeout: 25_000 }).toBe(1);
    once(server, { kind: "hang", when: "after-commit" });
    const second = raw(server, upload, { body: "x" });
    await expect.poll(() => names(server), { timeout: 25_000 }).toEqual(["n"]);
    const ends = Promise.allSettled([first, second]);
    await server.close();
    expect((await ends).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });
});

test.for(["fin", "reset"] as const)("an answer cut short by a %s", async (end) => {
  await withServer({}, async (server) => {
    await put(server, "n", Buffer.alloc(1_000_000, "abc"));
    for (const afterBytes of [0, 1, 400_000, 999_999]) {
      once(server, { kind: "cut", afterBytes, end });
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
    once(server, { kind: "stall", afterBytes: 500_000, stallMs: 5000 });
    const answer = raw(server, media);
    await expect.poll(() => clock.pendingTimers, { timeout: 25_000 }).toBe(1);
    clock.advance(5000);
    expect((await answer).body.equals(bytes)).toBe(true);
    once(server, { kind: "stall", afterBytes: 500_000 });
    const never = Promise.allSettled([raw(server, media)]);
    await expect.poll(() => server.requests[2]?.status, { timeout: 25_000 }).toBe(200);
    await server.close();
    expect(await never).toMatchObject([{ status: "rejected", reason: { code: "ECONNRESET" } }]);
  });
});

test("latency passes before anything happens", async () => {
  const clock = new ManualClock();
  await withServer({ clock }, async (server) => {
    once(server, { kind: "latency", latencyMs: 1000 });
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
    for (const [atByte, text] of [
      [0, "iello"],
      [3, "helmo"],
      [99, "helln"],
    ] as const) {
      once(server, { kind: "corrupt", direction: "response", atByte });
      expect((await raw(server, media)).body.toString()).toBe(text);
    }
    expect((await raw(server, media)).body.toString()).toBe("hello");
  });
});

test("a byte of the request is damaged: a checksum notices, nothing else does", async () => {
  await withServer({}, async (server) => {
    const body = Buffer.alloc(300_000, "abc");
    for (const atByte of [0, 70_000, 299_999, 999_999]) {
      once(server, { kind: "corrupt", direction: "request", atByte });
      expect((await raw(server, upload, { body })).status).toBe(200);
      const stored = Buffer.from(server.objects("bucket")[0]?.bytes() ?? []);
      const damaged = [...stored.keys()].filter((at) => stored[at] !== body[at]);
      expect(damaged).toEqual([Math.min(atByte, 299_999)]);
      once(server, { kind: "corrupt", direction: "request", atByte });
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

test("the hook sees what a request is, and may wait; its own failure is a 500", async () => {
  await withServer({}, async (server) => {
    const seen: object[] = [];
    server.intercept = async (request) => {
      await Promise.resolve();
      seen.push(request);
      return undefined;
    };
    await raw(server, upload, { body: "x" });
    await raw(server, "GET /storage/v1/b/bucket/o/a%2Fb?alt=media");
    await raw(server, "GET /elsewhere?a=b");
    expect(seen).toEqual([
      {
        operation: "objects.insert.media",
        method: "POST",
        path: "/upload/storage/v1/b/bucket/o",
        bucket: "bucket",
        object: "n",
      },
      {
        operation: "objects.getMedia",
        method: "GET",
        path: "/storage/v1/b/bucket/o/a%2Fb",
        bucket: "bucket",
        object: "a/b",
      },
      { operation: "unknown", method: "GET", path: "/elsewhere", bucket: undefined, object: undefined },
    ]);
    server.intercept = () => {
      throw new Error("the plan is broken");
    };
    const answer = await raw(server, media);
    expect([answer.status, answer.reason]).toEqual([500, "internalError"]);
    expect(answer.body.toString()).toContain("the plan is broken");
  });
});
