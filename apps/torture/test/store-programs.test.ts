// Goal: the client does each job, goes on after failures and says what it was told; the check passes what it left and finds
// every harm that is done to it.
// Method: the built programs against the GCS server in this process; faults by the server, harm by a client of our own.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { ObjectStore } from "@varve/fs-core";
import { type GcsServer, startGcsServer } from "@varve/cloud-servers";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { programs, shellQuote } from "../src/campaign.ts";
import { Child } from "../src/child.ts";
import { bucketName, openStoreAt } from "../src/store-backends.ts";
import { bodyOf, parseChain } from "../src/store-body.ts";
import { judgedAttempts, readFacts } from "../src/store-ledger.ts";
import { jobs, smallBytes, swapKey } from "../src/store-plan.ts";

const { storeClient, storeCheck } = programs(resolve(import.meta.dirname, "../dist"));
const root = mkdtempSync(join(tmpdir(), "varve-store-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let made = 0;
let dir: string;
let server: GcsServer;
let store: ObjectStore;
beforeEach(async () => {
  dir = join(root, `run-${made++}`);
  server = await startGcsServer({ buckets: [bucketName] });
  store = await openStoreAt("gcs", server.url, {});
});
afterEach(async () => {
  await store.close();
  await server.close();
});

async function run(program: (args: string) => string, job: string, environment = ""): Promise<[number | null, string]> {
  const child = new Child(
    `env ${environment} ${program(`${server.url} ${shellQuote(dir)} --backend gcs --job ${job} --items 4`)}`,
  );
  const { code } = await child.ended;
  return [code, child.stdout + child.stderr];
}
const client = (job: string): Promise<[number | null, string]> => run(storeClient, job);
const check = (job: string): Promise<[number | null, string]> => run(storeCheck, job, "FINAL=1");

it.each(jobs)("%s: done once, and a second run finds nothing to do", async (job) => {
  expect(await client(job)).toEqual([0, ""]);
  expect(await check(job)).toEqual([0, ""]);
  const before = readFacts(dir);
  const requests = server.requests.length;
  expect(await client(job)).toEqual([0, ""]);
  expect(readFacts(dir)).toEqual(before);
  expect(server.requests.slice(requests).filter(({ method }) => method !== "GET")).toEqual([]);
});

it.each(jobs)(
  "%s: an answer that never comes is unknown, the next run finds out, nothing is done twice",
  async (job) => {
    const rule = server.faults.add({ method: ["POST", "PUT", "DELETE"], action: { kind: "reset", when: "after" } });
    const [code, said] = await client(job);
    expect(rule.injected).toBeGreaterThan(0);
    rule.remove();
    // Puts and copies ask whose object is there; nobody can tell whose deletion it was.
    if (code !== 0) expect([code, said]).toEqual([1, expect.stringMatching(/^[A-Z_]+: .+\n$/)]);
    expect(await run(storeCheck, job)).toEqual([0, ""]);
    expect(await client(job)).toEqual([0, ""]);
    expect(await check(job)).toEqual([0, ""]);
  },
);

it("a refusal is on record as one, by its code", async () => {
  server.faults.add({ action: { kind: "status", when: "before", status: 403 } });
  expect(await client("put")).toEqual([1, expect.stringMatching(/^PERMISSION_DENIED: /)]);
  expect(judgedAttempts(readFacts(dir))).toMatchObject([{ verdict: "refused", code: "PERMISSION_DENIED" }]);
});

describe("the check finds", () => {
  const strange = "f".repeat(32);
  const put = (key: string, putId: string, body: Uint8Array, id = putId): Promise<unknown> =>
    store.put(key, body, { putId, metadata: { body: id } });

  it.each<[string, (typeof jobs)[number], () => Promise<unknown>, string]>([
    ["an object that is gone", "create", () => store.delete("create/1"), "create/1: lost"],
    ["an object put over", "put", () => put("put/0", strange, bodyOf(strange, smallBytes)), "put/0: has put id ffff"],
    [
      "an object that is cut",
      "create",
      async () => {
        const { putId = "" } = (await store.head("create/2")) ?? {};
        await put("create/2", putId, bodyOf(putId, smallBytes - 1));
      },
      "create/2: its bytes are not",
    ],
    [
      "an object too many",
      "multipart",
      () => put("multipart/9", strange, new Uint8Array(1)),
      "multipart/9: nobody put",
    ],
    [
      "a copy of something else",
      "copy",
      async () => {
        const { putId = "" } = (await store.head("copy/0/to")) ?? {};
        await put("copy/0/to", putId, bodyOf(strange, smallBytes), strange);
      },
      "copy/0/to: holds other bytes than its source",
    ],
    [
      "a deletion undone",
      "delete",
      async () => {
        const id = readFacts(dir).flatMap((fact) =>
          fact.fact === "try" && fact.key === "delete/0" ? [fact.id] : [],
        )[0];
        await put("delete/0", id ?? "", bodyOf(id ?? "", smallBytes));
      },
      "delete/0: is there, and its deletion was acknowledged",
    ],
    ["a deletion too many", "delete", () => store.delete("delete/2"), "delete/2: lost"],
    [
      "a lost update",
      "swap",
      async () => {
        const chain = parseChain(await (await store.get(swapKey)).bytes()) ?? [];
        const { putId = "" } = (await store.head(swapKey)) ?? {};
        const text = chain.slice(1).map(({ item, id }) => `${item} ${id}\n`);
        await store.put(swapKey, Buffer.from(text.join("")), { putId });
      },
      "lost update",
    ],
  ])("%s", async (_name, job, harm, problem) => {
    expect(await client(job)).toEqual([0, ""]);
    await harm();
    const [code, said] = await check(job);
    expect(said).toContain(problem);
    expect(code).toBe(1);
  });
});

it.each(["", "http://a b --job put", "not-a-url d --backend gcs --job put", "http://a d --backend gcs --job fly"])(
  "both print their usage for %j",
  async (args) => {
    for (const program of [storeClient, storeCheck]) {
      const child = new Child(program(args));
      expect((await child.ended).code).toBe(2);
      expect(child.stderr).toContain("usage: ");
    }
  },
);
