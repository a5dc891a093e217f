// Goal: no crash or fault, at any moment of making, wrapping anew or adding keys, costs a record that was acknowledged or
// lets one reach the disk in the clear; whoever takes over, repairs or follows an encrypted log has all of its keys.
// Method: as in crash.test.ts and faults.test.ts, with a run that makes the first key, rewraps it with the log open and
// closed, and adds keys; each survivor is opened with just the keys that must be enough, read, appended to, opened again.
import { type FileSystem, MemoryFileSystem } from "@varve/fs-core";
import {
  CrashableFileSystem,
  crashModels,
  FaultPlan,
  FaultyFileSystem,
  type FaultErrno,
  type FileOperationName,
  SeededRandom,
} from "@varve/fs-core/testing";
import { expect, test } from "vitest";
import {
  Aof,
  type AofSettings,
  isAofError,
  type KeyProvider,
  openReadOnly,
  repairLog,
  rewrapKeys,
} from "../../src/index.ts";
import { bytesOf, forgeChecksum, overwrite, recordsOf, ringOf } from "../support/keyed-log.ts";
import { contentOf, logSettings, payloadOf } from "../support/log-harness.ts";

const seed = Number(process.env["VARVE_SEED"] ?? 20261121);
/** Share of the crash states that are recovered; all of them with VARVE_FULL=1. */
const share = process.env["VARVE_FULL"] === "1" ? 1 : 0.1;

/** After a fault: all of them with VARVE_FULL=1, else one in turn. */
const afterFault = ["drop", "subset", "all"] as const;

const both = ringOf("one", "two");
const settings = {
  ...logSettings,
  flushStrategy: { kind: "sync" },
  encryption: true,
} as const satisfies AofSettings;

function openKeyed(
  fileSystem: FileSystem,
  keyProvider: KeyProvider,
  more: Partial<AofSettings> = {},
  number = 1,
): Promise<Aof> {
  return Aof.open({ ...settings, ...more }, { fileSystem, random: new SeededRandom(number), keyProvider });
}

/** How far a run has come. */
interface Progress {
  log?: Aof;
  appended: number;
  /** Whether key one may be thrown away. */
  retired: boolean;
}

function append(progress: Progress, count: number): void {
  const log = progress.log as Aof;
  for (let index = 0; index < count; index++) {
    progress.appended = log.nextId;
    log.append(payloadOf("run", log.nextId));
  }
}

/** Makes keys in every way there is, and appends with each of them. */
async function run(fs: FileSystem, progress: Progress): Promise<void> {
  progress.log = await openKeyed(fs, ringOf("one"));
  append(progress, 5);
  await progress.log.rewrapKeys({ newDataKey: true });
  append(progress, 25);
  await progress.log.close();
  const report = await rewrapKeys(
    { dir: "log", newDataKey: true },
    { fileSystem: fs, keyProvider: both, random: new SeededRandom(5) },
  );
  expect(report.keys).toEqual([1, 2, 3].map((generation) => ({ generation, keyId: "two" })));
  progress.retired = true;
  progress.log = await openKeyed(fs, ringOf("two"), {}, 6);
  append(progress, 5);
  await progress.log.rewrapKeys();
  // Into the next segment, whose data key comes from the keys that were just wrapped.
  append(progress, 30);
  await progress.log.close();
}

async function assertNothingInTheClear(fs: FileSystem): Promise<void> {
  for (const { name, kind } of await fs.list("log")) {
    if (kind !== "file") continue;
    const bytes = Buffer.from(await bytesOf(fs, `log/${name}`));
    expect(bytes.includes("run:") || bytes.includes("after:"), name).toBe(false);
  }
}

/** Opens what was left, judges it, appends, and opens it once more. */
async function assertRecovers(fs: FileSystem, provider: KeyProvider, lowest: number, highest: number): Promise<void> {
  await fs.mkdir("log");
  await assertNothingInTheClear(fs);
  const log = await openKeyed(fs, provider, {}, 2);
  const { lastId } = log;
  expect(lastId, "acknowledged records are there").toBeGreaterThanOrEqual(lowest);
  expect(lastId, "nothing was made up").toBeLessThanOrEqual(highest);
  const afterId = lastId + 30;
  for (let id = lastId + 1; id <= lastId + 3; id++) log.append(payloadOf("after", id));
  await log.rewrapKeys({ newDataKey: true });
  for (let id = lastId + 4; id <= afterId; id++) log.append(payloadOf("after", id));
  expect((await contentOf(log)).size, "read with the keys that were wrapped anew").toBe(afterId);
  await log.close();
  const again = await openKeyed(fs, provider, {}, 3);
  expect(again.lastId).toBe(afterId);
  for (const [id, payload] of await contentOf(again)) {
    expect(Buffer.compare(payload, payloadOf(id <= lastId ? "run" : "after", id)), `record ${id}`).toBe(0);
  }
  await again.close();
  await assertNothingInTheClear(fs);
}

test(`a crash before any operation, seed ${seed}`, { timeout: 240_000 }, async () => {
  const random = new SeededRandom(seed);
  const fs = new CrashableFileSystem();
  const progress: Progress = { appended: 0, retired: false };
  const states: { at: string; fs: CrashableFileSystem; provider: KeyProvider; lowest: number; highest: number }[] = [];
  let durable = 0;
  let written = 0;
  fs.onOperation(({ index, name, path, phase }) => {
    if (phase !== "before") return;
    durable = Math.max(durable, progress.log?.durableId ?? 0);
    written = Math.max(written, progress.log?.writtenId ?? 0);
    for (const model of crashModels) {
      if (random.next() >= share) continue;
      states.push({
        at: `${index} ${name} ${path}, model ${model}`,
        fs: fs.crashClone({ model, random: new SeededRandom(seed + index) }),
        provider: progress.retired ? ringOf("two") : both,
        lowest: model === "all" ? written : durable,
        highest: progress.appended,
      });
    }
  });
  await run(fs, progress);
  expect(states.filter(({ provider }) => provider === both).length).toBeGreaterThan(60);
  expect(states.filter(({ provider }) => provider !== both).length).toBeGreaterThan(40);
  for (const state of states) {
    try {
      await assertRecovers(state.fs, state.provider, state.lowest, state.highest);
    } catch (error) {
      throw new Error(`crash before ${state.at}, seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
});

const faults: readonly { operation: FileOperationName; errno: FaultErrno; after?: boolean }[] = [
  { operation: "writeAt", errno: "ENOSPC" },
  { operation: "sync", errno: "EIO" },
  { operation: "syncDirectory", errno: "EIO" },
  { operation: "rename", errno: "EIO" },
  { operation: "rename", errno: "EIO", after: true },
  { operation: "createFile", errno: "EMFILE" },
  { operation: "openFile", errno: "EMFILE" },
  { operation: "readAll", errno: "EIO" },
  { operation: "close", errno: "EIO" },
  { operation: "deleteFile", errno: "EIO" },
];

test.each(faults)("every $operation fails once, $errno", { timeout: 240_000 }, async ({ operation, errno, after }) => {
  for (let nth = 1; ; nth++) {
    const disk = new CrashableFileSystem();
    const plan = new FaultPlan([{ operation, nth, fault: { kind: after === true ? "errorAfter" : "error", errno } }]);
    const progress: Progress = { appended: 0, retired: false };
    let durable = 0;
    try {
      await run(new FaultyFileSystem(disk, plan), progress);
    } catch (error) {
      if (!isAofError(error)) throw error;
    }
    durable = progress.log?.durableId ?? 0;
    await progress.log?.close().catch(() => {});
    if (plan.injected === 0) {
      expect(nth, `${operation} was never called`).toBeGreaterThan(1);
      break;
    }
    for (const [index, model] of afterFault.entries()) {
      if (share < 1 && nth % afterFault.length !== index) continue;
      const survivor = disk.crashClone({ model, random: new SeededRandom(seed + nth) });
      const provider = progress.retired ? ringOf("two") : both;
      try {
        await assertRecovers(survivor, provider, durable, progress.appended);
      } catch (error) {
        throw new Error(`${operation} ${nth}, then ${model}: ${(error as Error).message}`, { cause: error });
      }
    }
  }
});

/** A ring whose next call waits until it is let go. */
function gated(ring: KeyProvider): { provider: KeyProvider; reached: Promise<void>; open(): void } {
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const wait = async (): Promise<void> => {
    reached.resolve();
    await gate.promise;
  };
  const provider: KeyProvider = {
    wrap: async (...call) => {
      await wait();
      return ring.wrap(...call);
    },
    unwrap: async (...call) => {
      await wait();
      return ring.unwrap(...call);
    },
  };
  return { provider, reached: reached.promise, open: gate.resolve };
}

test("a take-over whose provider is slow has what the stuck writer did meanwhile: its records and its new key", async () => {
  const fs = new MemoryFileSystem();
  const old = await openKeyed(fs, ringOf("one"));
  for (let id = 1; id <= 5; id++) old.append(payloadOf("run", id));
  const slow = gated(ringOf("one"));
  const taking = openKeyed(fs, slow.provider, { takeOver: true }, 9);
  await slow.reached;
  await old.rewrapKeys({ newDataKey: true });
  for (let id = 6; id <= 60; id++) old.append(payloadOf("run", id));
  expect(old.segments().length).toBeGreaterThan(2);
  await old.trim(3);
  slow.open();
  const taker = await taking;
  await expect(old.rewrapKeys()).rejects.toMatchObject({ code: "FENCED" });
  expect(taker).toMatchObject({ firstId: 3, lastId: 60 });
  expect((await taker.rewrapKeys({ newDataKey: true })).keys.map(({ generation }) => generation)).toEqual([1, 2, 3]);
  for (let id = 61; id <= 65; id++) taker.append(payloadOf("run", id));
  for (const [id, payload] of await contentOf(taker)) expect(Buffer.compare(payload, payloadOf("run", id))).toBe(0);
  await old.close().catch((error: { code: string }) => expect(error.code).toBe("FENCED"));
  await taker.close();
  const again = await openKeyed(fs, ringOf("one"));
  expect((await contentOf(again)).size).toBe(63);
  await again.close();
});

test("a writer that was taken over while its provider was asked does not replace the newer one's KEYS", async () => {
  const fs = new MemoryFileSystem();
  const slow = gated(ringOf("one"));
  const fast = ringOf("one");
  let isSlow = false;
  const old = await openKeyed(fs, {
    wrap: (...call) => (isSlow ? slow.provider : fast).wrap(...call),
    unwrap: (...call) => fast.unwrap(...call),
  });
  old.append(payloadOf("run", 1));
  isSlow = true;
  const rewrapping = old.rewrapKeys({ newDataKey: true });
  rewrapping.catch(() => {});
  await slow.reached;
  const taker = await openKeyed(fs, ringOf("one"), { takeOver: true }, 9);
  await taker.rewrapKeys({ newDataKey: true });
  taker.append(payloadOf("run", 2));
  const keys = await bytesOf(fs, "log/KEYS");
  slow.open();
  await expect(rewrapping).rejects.toMatchObject({ code: "FENCED" });
  expect(await bytesOf(fs, "log/KEYS")).toEqual(keys);
  await old.close().catch(() => {});
  await taker.close();
  const again = await openKeyed(fs, ringOf("one"));
  expect((await contentOf(again)).size).toBe(2);
  await again.close();
});

function flipBit(bytes: Uint8Array, at: number): void {
  bytes[at] = (bytes[at] as number) ^ 0x40;
}

test("a repair, without any key, of a damaged middle: everything else still decrypts", async () => {
  for (const wound of ["body", "header", "MANIFEST"] as const) {
    const fs = new MemoryFileSystem();
    const log = await openKeyed(fs, ringOf("one"));
    for (let id = 1; id <= 40; id++) {
      if (id === 15) await log.rewrapKeys({ newDataKey: true });
      log.append(payloadOf("run", id));
    }
    const [first, second] = log.segments();
    await log.close();
    const path = `log/segment_${String(second?.baseId).padStart(20, "0")}.log`;
    const segment = await bytesOf(fs, path);
    const places = recordsOf(segment, 3);
    const hit = (second?.baseId as number) + 1;
    flipBit(segment, (places[1]?.offset as number) + (wound === "header" ? 9 : 34));
    await overwrite(fs, path, segment);
    if (wound === "MANIFEST") await fs.deleteFile("log/MANIFEST");
    const { recovery } = await repairLog({ dir: "log", mode: "salvage" }, { fileSystem: fs });
    expect(recovery.lost.map(({ firstId, lastId }) => [firstId, lastId])).toEqual([[hit, hit]]);
    const repaired = await openKeyed(fs, ringOf("one"));
    expect(repaired.segments()[0]?.baseId).toBe(first?.baseId);
    let id = 0;
    for await (const record of repaired.read()) {
      id += id + 1 === hit ? 2 : 1;
      expect(record.id).toBe(id);
      expect(Buffer.compare(record.payload, payloadOf("run", id)), `record ${id}`).toBe(0);
    }
    expect(id).toBe(40);
    expect(() => repaired.getSync(hit)).toThrow(expect.objectContaining({ code: "CORRUPTED_RECORD" }));
    expect(repaired.append(payloadOf("run", 41))).toBe(41);
    await repaired.close();
    await assertNothingInTheClear(fs);
  }
});

test("a record that somebody wrote without the key is refused by number, the others are read", async () => {
  const fs = new MemoryFileSystem();
  const log = await openKeyed(fs, ringOf("one"));
  for (let id = 1; id <= 3; id++) log.append(payloadOf("run", id));
  await log.close();
  const path = "log/segment_00000000000000000001.log";
  const segment = await bytesOf(fs, path);
  const [, middle] = recordsOf(segment, 3);
  if (middle === undefined) throw new Error("there are three records");
  flipBit(segment, middle.offset + 32);
  forgeChecksum(segment, middle);
  await overwrite(fs, path, segment);
  const again = await openKeyed(fs, ringOf("one"));
  expect(() => again.getSync(2)).toThrow(
    expect.objectContaining({ code: "TAMPERED_RECORD", recordId: 2, path: path.slice(4) }),
  );
  for (const id of [1, 3])
    expect(Buffer.compare(again.getSync(id)?.payload as Uint8Array, payloadOf("run", id))).toBe(0);
  await again.close();
});

test("a provider that gives and takes Buffers, and wipes or garbles what passed through, costs no key", async () => {
  const ring = ringOf("one");
  const provider: KeyProvider = {
    async wrap(key, context, options) {
      const { keyId, wrapped } = await ring.wrap(key, context, options);
      key.fill(1);
      const given = Buffer.from(wrapped);
      setImmediate(() => given.fill(2));
      return { keyId, wrapped: given };
    },
    async unwrap({ keyId, wrapped }, context, options) {
      const key = Buffer.from(await ring.unwrap({ keyId, wrapped }, context, options));
      wrapped.fill(3);
      setImmediate(() => key.fill(4));
      return key;
    },
  };
  const fs = new MemoryFileSystem();
  let nextId = 1;
  for (let session = 0; session < 4; session++) {
    const log = await openKeyed(fs, provider, {}, session + 1);
    for (let round = 0; round < 3; round++) {
      await log.rewrapKeys({ newDataKey: round === 1 });
      await new Promise((resolve) => setImmediate(resolve));
      for (let count = 0; count < 30; count++, nextId++) log.append(payloadOf("run", nextId));
      for (const [id, payload] of await contentOf(log)) {
        expect(Buffer.compare(payload, payloadOf("run", id)), `record ${id} of session ${session}`).toBe(0);
      }
    }
    await log.close();
  }
  const plain = await openKeyed(fs, ring);
  expect((await contentOf(plain)).size).toBe(nextId - 1);
  await plain.close();
});

test("a reader follows across rewraps and new keys, and fails by name when its ring lacks one", async () => {
  const fs = new MemoryFileSystem();
  const log = await openKeyed(fs, both);
  log.append(payloadOf("run", 1));
  const follower = await openReadOnly({ dir: "log" }, { fileSystem: fs, keyProvider: both });
  const seen: number[] = [];
  const following = (async () => {
    for await (const { id, payload } of follower.read({ follow: true, limit: 30 })) {
      expect(Buffer.compare(payload, payloadOf("run", id)), `record ${id}`).toBe(0);
      seen.push(id);
    }
  })();
  for (let id = 2; id <= 30; id++) {
    if (id % 7 === 0) await log.rewrapKeys({ newDataKey: id % 2 === 0 });
    log.append(payloadOf("run", id));
    if (id % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await following;
  expect(seen).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  await follower.close();
  await expect(openReadOnly({ dir: "log" }, { fileSystem: fs, keyProvider: ringOf("one") })).rejects.toMatchObject({
    code: "KEY_NOT_FOUND",
    keyId: "two",
  });
  await log.close();
});
