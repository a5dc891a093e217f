// Goal: a store on S3 keeps every promise of `ObjectStore`, on AWS, on servers without its checksums, and in directory
// buckets; and it says so where a server does not keep its own.
// Method: the conformance suite and faults, on a server that speaks the protocol as AWS describes it and checks signatures.
import { startS3Server, type FaultRule, type S3Quirks, type S3Server } from "@varve/cloud-servers";
import { createObjectStore, type ObjectStore } from "@varve/fs-core";
import { objectStoreConformance, wrappersToTry } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { createS3Driver, type S3Settings } from "../src/index.ts";

const bucket = "logs";
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret/key+value" };
const servers = new Map<ObjectStore, S3Server>();

async function create(settings: Partial<S3Settings>, quirks: S3Quirks = {}): Promise<ObjectStore> {
  const server = await startS3Server({ buckets: [bucket], credentials, quirks });
  const driver = createS3Driver({ bucket, endpoint: server.url, region: "us-east-1", credentials, ...settings });
  const store = createObjectStore(driver, { retry: { baseDelayMs: 1, maxDelayMs: 10 } });
  servers.set(store, server);
  return store;
}

async function destroy(store: ObjectStore): Promise<void> {
  await store.close();
  await servers.get(store)?.close();
  servers.delete(store);
}

describe.for([
  ["checksums kept by the store", { checksumMode: "store" }, {}],
  ["checksums in metadata, below a prefix", { prefix: "a b/c+d" }, { noChecksums: true }],
  [
    "a server that keeps ifAbsent of puts, and no other condition",
    { conditions: { completeIfAbsent: false, copyIfAbsent: false, putIfMatch: false, deleteIfMatch: false } },
    { noChecksums: true, ignoreIfNoneMatchOnComplete: true, ignoreIfNoneMatchOnCopy: true, ignoreIfMatch: true },
  ],
  ["a directory bucket", { checksumMode: "store", express: true }, { express: true }],
] as const)("%s", ([name, settings, quirks]) => {
  objectStoreConformance({
    isShort: name !== "checksums kept by the store",
    test: (name, body) => test(name, body, 300_000),
    create: () => create(settings, quirks),
    destroy,
  });
});

describe.each(wrappersToTry())("%s", (_name, wrap) => {
  const inner = new Map<ObjectStore, ObjectStore>();
  objectStoreConformance({
    isShort: true,
    test: (name, body) => test(name, body, 300_000),
    async create() {
      const store = await create({ checksumMode: "store" });
      const wrapped = await wrap(store);
      inner.set(wrapped, store);
      return wrapped;
    },
    destroy: (wrapped) => destroy(inner.get(wrapped) as ObjectStore),
  });
});

describe("what a server does not keep", () => {
  test.for([
    [{}, "fenced", {}],
    [{ ignoreIfNoneMatchOnPut: true }, "single-writer", { putIfAbsent: "ignored" }],
    [{ ignoreIfNoneMatchOnComplete: true }, "fenced", { completeIfAbsent: "ignored" }],
    [
      { ignoreIfMatch: true },
      "fenced",
      { putIfMatch: "ignored", completeIfMatch: "ignored", deleteIfMatch: "ignored" },
    ],
  ] as const)("%o is seen by the probe", async ([quirks, mode, verdicts]) => {
    const store = await create({ checksumMode: "store" }, quirks);
    try {
      expect(await store.probe()).toMatchObject({ mode, metadata: "kept", checksum: "enforced", ...verdicts });
    } finally {
      await destroy(store);
    }
  });
});

describe("faults on the way", () => {
  const bytes = new Uint8Array((5 << 20) + 1000).map((_, index) => index * 7);

  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; at < bytes.byteLength; at += 100_000) yield bytes.subarray(at, at + 100_000);
  }

  const once = (operation: string, action: FaultRule["action"]): FaultRule => ({ operation, nth: 1, action });
  const rules: readonly (readonly [string, FaultRule])[] = [
    ["a put that was done and not answered", once("PutObject", { kind: "reset", when: "after" })],
    ["a put that did not arrive", once("PutObject", { kind: "reset", when: "before" })],
    ["a put that a proxy sends twice", once("PutObject", { kind: "duplicate" })],
    ["a put that failed inside", once("PutObject", { kind: "status", status: 500, when: "after" })],
    ["a busy store", once("PutObject", { kind: "status", status: 503, code: "SlowDown", when: "before" })],
    ["a part that was done and not answered", once("UploadPart", { kind: "reset", when: "after" })],
    ["a completion that was done and not answered", once("CompleteMultipartUpload", { kind: "reset", when: "after" })],
    [
      "a completion with an error within a 200",
      once("CompleteMultipartUpload", { kind: "errorInBody", when: "before" }),
    ],
    ["the same, though it was done", once("CompleteMultipartUpload", { kind: "errorInBody", when: "after" })],
    ["a body that breaks off", once("GetObject", { kind: "cutBody", afterBytes: 70_000, how: "reset" })],
    ["a body that ends too early", once("GetObject", { kind: "cutBody", afterBytes: 70_000, how: "fin" })],
    ["a body that was changed on the way", once("GetObject", { kind: "corruptBody", at: 5000 })],
  ];

  test.for(rules)("%s: written once, and read as written", async ([, rule]) => {
    const store = await create({ checksumMode: "store" });
    try {
      const fault = servers.get(store)?.faults.add(rule);
      const small = bytes.subarray(0, 200_000);
      const put = await store.put("small", small, { ifAbsent: true });
      const upload = await store.putStream("large", pieces(), { ifAbsent: true, partBytes: 5 << 20 });
      expect((await store.head("small"))?.version).toBe(put.version);
      expect((await store.head("large"))?.version).toBe(upload.version);
      expect(Buffer.compare(await (await store.get("small")).bytes(), small)).toBe(0);
      expect(Buffer.compare(await (await store.get("large")).bytes(), bytes)).toBe(0);
      expect(servers.get(store)?.uploads(bucket).size).toBe(0);
      expect(fault?.injected).toBe(1);
    } finally {
      await destroy(store);
    }
  });

  test("keys that cannot be deleted are told, the others are gone", async () => {
    const store = await create({});
    try {
      servers.get(store)?.faults.add({ operation: "DeleteObjects", action: { kind: "failKeys", contains: "stays" } });
      for (const key of ["a", "stays", "z"]) await store.put(key, bytes.subarray(0, 3));
      const failures = await store.deleteMany(["a", "stays", "z"]);
      expect(failures.map(({ key }) => key)).toEqual(["stays"]);
      expect([...(servers.get(store)?.objects(bucket).keys() ?? [])]).toEqual(["stays"]);
    } finally {
      await destroy(store);
    }
  });

  test("a wrong secret", async () => {
    const store = await create({ credentials: { ...credentials, secretAccessKey: "another" } });
    try {
      await expect(store.put("k", new Uint8Array(1))).rejects.toMatchObject({
        code: "UNAUTHENTICATED",
        vendorCode: "SignatureDoesNotMatch",
        outcome: "none",
      });
    } finally {
      await destroy(store);
    }
  });
});
