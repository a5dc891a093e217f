import assert from "node:assert/strict";
import type { ObjectStore } from "../../object-store/object-store.ts";
import { isStoreError, type StoreError } from "../../object-store/store-error.ts";
import { type DriverFault, FaultyDriver } from "../faulty-driver.ts";
import { assertBytes, bytesOf, collect, partSizes, pattern, refuses, type StoreCheck, textAt } from "./store-check.ts";

/**
 * Promises that only show when requests go wrong: the store's own driver, with answers that are lost or garbled between it
 * and a store above it.
 */
export const promiseChecks: readonly StoreCheck[] = [
  {
    name: "promise 1: while an object is written in parts, nobody sees any of it",
    async run(store) {
      const { partBytes } = partSizes(store);
      await store.put("a", bytesOf("old"));
      const source = (async function* (): AsyncGenerator<Uint8Array> {
        for (let part = 0; part < 3; part++) {
          yield pattern(partBytes, part);
          assert.equal(await textAt(store, "a"), "old");
          assert.equal(await store.head("new"), undefined);
          const sizes = (await collect(store.list())).map((entry) => (entry.kind === "object" ? entry.size : -1));
          assert.deepEqual(sizes, [3]);
        }
      })();
      const both = await Promise.all([
        store.putStream("a", source, { partBytes }),
        store
          .putStream("new", [pattern(partBytes, 1), pattern(10, 2)], { partBytes, checksum: 1n })
          .catch(() => "refused"),
      ]);
      assert.equal(both[1], "refused");
      assert.equal((await store.head("a"))?.size, partBytes * 3);
      assert.equal(await store.head("new"), undefined);
    },
  },
  {
    name: "promise 11: a misspelt option is refused, whatever the call, and changes nothing",
    async run(store) {
      const { version } = await store.put("a", bytesOf("old"));
      const misspelt = { ifabsent: true, signl: 1 } as never;
      const calls: readonly (() => unknown)[] = [
        () => store.put("a", bytesOf("new"), misspelt),
        () => store.putStream("a", [bytesOf("new")], misspelt),
        () => store.createWriter("a", misspelt),
        () => store.copy("a", "b", misspelt),
        () => store.delete("a", misspelt),
        () => store.deleteMany(["a"], misspelt),
        () => store.get("a", misspelt),
        () => store.head("a", misspelt),
        () => collect(store.list(misspelt)),
      ];
      for (const call of calls) await refuses("INVALID_ARGUMENT", undefined, async () => call());
      assert.equal((await store.head("a"))?.version, version);
      assert.equal(await store.head("b"), undefined);
    },
  },
  {
    name: "promise 2: what was written last is what is read, headed and listed",
    async run(store) {
      await store.put("from", bytesOf("copied"));
      for (const write of [
        () => store.put("a", bytesOf("put")),
        () => store.putStream("a", [bytesOf("stream")]),
        () => store.copy("from", "a"),
      ]) {
        const { version, size } = await write();
        const body = await store.get("a");
        assert.equal(body.info.version, version);
        assert.equal((await body.bytes()).byteLength, size);
        assert.equal((await store.head("a"))?.version, version);
        const [listed] = await collect(store.list({ prefix: "a" }));
        assert.ok(listed?.kind === "object");
        assert.deepEqual([listed.version, listed.size], [version, size]);
      }
    },
  },
  {
    name: "promise 5: a write whose answer was lost, or that arrived twice, is known for our own",
    async run(store) {
      const { putIfAbsent, putIfMatch, completeIfAbsent, copyIfAbsent } = store.capabilities;
      const { partBytes, aboveOnePart } = partSizes(store);
      await store.put("from", bytesOf("source"));
      for (const kind of ["lose-answer", "repeat"] as const) {
        const ifAbsent = (is: boolean): { ifAbsent?: true } => (is ? { ifAbsent: true } : {});
        const put = await once(store, "put", { kind }, (faulty) =>
          faulty.put(`put-${kind}`, bytesOf("mine"), ifAbsent(putIfAbsent)),
        );
        assert.equal((await store.head(`put-${kind}`))?.putId, put.putId);
        if (putIfMatch) {
          const next = await once(store, "put", { kind }, (faulty) =>
            faulty.put(`put-${kind}`, bytesOf("next"), { ifMatch: put.version }),
          );
          assert.equal((await store.head(`put-${kind}`))?.version, next.version);
        }
        const copy = await once(store, "copy", { kind }, (faulty) =>
          faulty.copy("from", `copy-${kind}`, ifAbsent(copyIfAbsent)),
        );
        assert.equal((await store.head(`copy-${kind}`))?.putId, copy.putId);
        const upload = await once(store, "completeUpload", { kind }, (faulty) =>
          faulty.putStream(`parts-${kind}`, [pattern(aboveOnePart)], { partBytes, ...ifAbsent(completeIfAbsent) }),
        );
        assert.equal((await store.head(`parts-${kind}`))?.putId, upload.putId);
      }
    },
  },
  {
    name: "promise 5: somebody else's object is not taken for our own, though our answer was lost",
    unless: (store) => !store.capabilities.putIfAbsent,
    async run(store) {
      await store.put("a", bytesOf("theirs"), { ifAbsent: true });
      const failure = await failureOf(
        once(store, "put", { kind: "lose-request" }, (faulty) => faulty.put("a", bytesOf("mine"), { ifAbsent: true })),
      );
      assert.equal(failure.code, "ALREADY_EXISTS");
      assert.equal(await textAt(store, "a"), "theirs");
    },
  },
  {
    name: "promise 6: a failure says that it changed nothing only when it did not",
    async run(store) {
      for (const [kind, isDone] of [
        ["lose-answer", true],
        ["lose-request", false],
      ] as const) {
        const key = `a-${kind}`;
        // Nobody can be asked what became of it.
        const faulty = faultyOver(store, (operation) => {
          if (operation === "put" || operation === "delete") return { kind };
          return operation === "head" ? { kind: "refuse", code: "PERMISSION_DENIED" } : undefined;
        });
        const put = await failureOf(faulty.put(key, bytesOf("x")));
        assert.equal(put.outcome, "unknown", "of a put");
        assert.equal((await store.head(key)) !== undefined, isDone);
        await store.put(key, bytesOf("x"));
        const deletion = await failureOf(faulty.delete(key));
        assert.equal(deletion.outcome, "unknown", "of a delete");
        assert.equal((await store.head(key)) === undefined, isDone);
      }
      await store.put("b", bytesOf("theirs"));
      const sure: (() => Promise<unknown>)[] = [() => store.get("none"), () => store.copy("none", "c")];
      if (store.capabilities.putIfAbsent) sure.push(() => store.put("b", bytesOf("mine"), { ifAbsent: true }));
      for (const call of sure) assert.equal((await failureOf(call())).outcome, "none");
      assert.equal(await textAt(store, "b"), "theirs");
    },
  },
  {
    name: "promise 7: bytes that were changed, or an answer that breaks off, on the way: the right bytes or none",
    async run(store) {
      const bytes = pattern(300_000);
      await store.put("a", bytes);
      for (const fault of [
        { kind: "garble-body" },
        { kind: "cut-body", bytes: 100_001, how: "end" },
        { kind: "cut-body", bytes: 0, how: "error" },
      ] as const) {
        const got = await once(store, "get", fault, async (faulty) => (await faulty.get("a")).bytes());
        assertBytes(got, bytes);
      }
      const garbled = faultyOver(store, (operation) => (operation === "get" ? { kind: "garble-body" } : undefined));
      await refuses("CORRUPT", "a", async () => (await garbled.get("a")).bytes());
      await refuses("CORRUPT", "a", async () => collect(await garbled.get("a")));
    },
  },
  {
    name: "promise 7: a body that breaks off goes on with the version that it began with, or fails",
    async run(store) {
      await store.put("a", new Uint8Array(300_000).fill(1));
      const cut: DriverFault = { kind: "cut-body", bytes: 100_000, how: "end" };
      let gets = 0;
      const faulty = faultyOver(store, (operation) => (operation === "get" && gets++ === 0 ? cut : undefined));
      const body = await faulty.get("a", { range: { offset: 0, length: 299_999 } });
      await store.put("a", new Uint8Array(300_000).fill(2));
      const failure = await failureOf(body.bytes());
      assert.equal(failure.code, "VERSION_MISMATCH");
    },
  },
  {
    name: "promise 9: a source that is silent does not hold a call whose signal fired",
    async run(store) {
      const { partBytes } = partSizes(store);
      const stop = new AbortController();
      const source = (async function* (): AsyncGenerator<Uint8Array> {
        yield pattern(partBytes + 1);
        stop.abort();
        await new Promise(() => {});
      })();
      await refuses("ABORTED", "a", () => store.putStream("a", source, { partBytes, signal: stop.signal }));
      assert.equal(await store.head("a"), undefined);
    },
  },
  {
    name: "promise 10: a failure names key, operation and store",
    async run(store) {
      await store.put("a", bytesOf("x"));
      const { version } = await store.put("a", bytesOf("y"));
      const writer = store.createWriter("a");
      await writer.abort();
      const calls: readonly (() => Promise<unknown>)[] = [
        () => store.get("none/such"),
        () => store.get("a", { range: { offset: 5 } }),
        () => store.get("a", { ifMatch: `${version}0` }),
        () => store.getRanges("a", [{ offset: 0, length: 5 }]),
        () => store.copy("none/such", "b"),
        () => store.put("a", bytesOf("x"), { checksum: 1n }),
        () => store.put("a", bytesOf("x"), { signal: AbortSignal.abort() }),
        () => store.put("a", bytesOf("x"), { putId: "short" }),
        () => store.put("../a", bytesOf("x")),
        () => store.delete("a", { ifMatch: "" }),
        () => writer.commit(),
        async () => (await store.get("a")).bytes({ limitBytes: 0 }),
      ];
      for (const [index, call] of calls.entries()) {
        const failure = await failureOf(call());
        const told = `call ${index}: ${failure.code} ${failure.message}`;
        assert.equal(failure.store, store.url, told);
        assert.ok(failure.operation !== undefined, told);
        assert.ok(failure.key !== undefined, told);
      }
    },
  },
];

function faultyOver(store: ObjectStore, choose: (operation: string) => DriverFault | undefined): ObjectStore {
  const retry = { attemptsMax: 2, baseDelayMs: 0 };
  return store.derive(new FaultyDriver(store.driver, choose), { retry });
}

/** A call with one fault, at its first request of this operation. */
async function once<T>(
  store: ObjectStore,
  operation: string,
  fault: DriverFault,
  call: (faulty: ObjectStore) => Promise<T>,
): Promise<T> {
  let isDone = false;
  const faulty = faultyOver(store, (asked) => {
    if (asked !== operation || isDone) return undefined;
    isDone = true;
    return fault;
  });
  try {
    return await call(faulty);
  } finally {
    assert.ok(isDone, `no ${operation} was sent`);
  }
}

async function failureOf(call: Promise<unknown>): Promise<StoreError> {
  try {
    await call;
  } catch (error) {
    if (isStoreError(error)) return error;
    throw error;
  }
  assert.fail("it resolved");
}
