// Goal: a failed write, sync, rename or create poisons the log: nothing is acknowledged after it, what was acknowledged
// before survives, even if power fails next, and a reopen recovers (G4).
// Method: every call of every kind of a scripted run fails once, one run per call, over a file system that loses what a
// failed sync covered; then power is cut and the survivors are judged.
import {
  CrashableFileSystem,
  FaultPlan,
  FaultyFileSystem,
  type FaultErrno,
  type FileOperationName,
  SeededRandom,
} from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { type Aof, type AofSettings, isAofError } from "../src/index.ts";
import { assertRecovers, logSettings, openOn, payloadOf } from "./support/log-harness.ts";

const seed = 20261121;

interface Outcome {
  readonly acknowledged: number;
  readonly appended: number;
  readonly failure: unknown;
}

const strategies: Record<string, Partial<AofSettings>> = {
  sync: { flushStrategy: { kind: "sync" } },
  pool: { flushStrategy: { kind: "batched", batchSize: 5 } },
};

/** Appends until something fails or all is done, then closes; says what was acknowledged as durable. */
async function run(fs: FaultyFileSystem, settings: Partial<AofSettings>): Promise<Outcome> {
  let log: Aof | undefined;
  let acknowledged = 0;
  let appended = 0;
  let failure: unknown;
  try {
    log = await openOn(fs, settings);
    for (let round = 0; round < 30; round++) {
      const id = log.nextId;
      appended = id;
      const durable = await log.appendDurable(payloadOf("run", id));
      acknowledged = durable;
      if (round % 3 === 0) {
        appended = log.nextId + 1;
        const batch = await log.appendBatchDurable([payloadOf("run", log.nextId), payloadOf("run", log.nextId + 1)]);
        acknowledged = batch.lastId;
      }
    }
  } catch (error) {
    failure = error;
  }
  if (log !== undefined) {
    if (log.state === "poisoned") {
      expect(() => log?.append(new Uint8Array(1)), "a poisoned log refuses").toThrow(
        expect.objectContaining({ code: "POISONED" }),
      );
      await expect(log.appendDurable(new Uint8Array(1))).rejects.toMatchObject({
        code: "POISONED",
        cause: log.failure,
      });
      await expect(log.flush()).rejects.toMatchObject({ code: "POISONED" });
      expect(log.durableId).toBeLessThanOrEqual(Math.max(acknowledged, log.durableId));
    }
    acknowledged = Math.max(acknowledged, log.durableId);
    try {
      await log.close();
    } catch (error) {
      failure ??= error;
    }
  }
  return { acknowledged, appended, failure };
}

const cases: readonly { operation: FileOperationName; errnos: readonly FaultErrno[] }[] = [
  { operation: "writeAt", errnos: ["EIO", "ENOSPC"] },
  { operation: "sync", errnos: ["EIO"] },
  { operation: "syncDirectory", errnos: ["EIO"] },
  { operation: "rename", errnos: ["EIO"] },
  { operation: "createFile", errnos: ["ENOSPC", "EMFILE"] },
  { operation: "setSize", errnos: ["EIO"] },
  { operation: "openFile", errnos: ["EMFILE"] },
  { operation: "deleteFile", errnos: ["EIO"] },
  { operation: "linkCount", errnos: ["EIO"] },
];

describe.each(Object.entries(strategies))("%s", (_name, settings) => {
  for (const { operation, errnos } of cases) {
    test(`every ${operation} fails`, { timeout: 120_000 }, async () => {
      for (const errno of errnos) {
        for (const sticky of [false, true]) {
          for (let nth = 1; ; nth++) {
            const disk = new CrashableFileSystem();
            const plan = new FaultPlan([{ operation, nth, sticky, fault: { kind: "error", errno } }]);
            const outcome = await run(new FaultyFileSystem(disk, plan), settings);
            if (plan.injected === 0) {
              expect(nth, `${operation} was never called`).toBeGreaterThan(1);
              break;
            }
            if (outcome.failure !== undefined) expect(isAofError(outcome.failure), "typed").toBe(true);
            for (const model of ["drop", "subset", "all"] as const) {
              const survivor = disk.crashClone({ model, random: new SeededRandom(seed + nth) });
              const owed = { lowest: outcome.acknowledged, highest: outcome.appended + 1, batches: [] };
              try {
                await assertRecovers(survivor, "run", owed, { ...logSettings });
              } catch (error) {
                throw new Error(
                  `${operation} ${nth} ${errno}${sticky ? " sticky" : ""}, then ${model}: ${(error as Error).message}`,
                  { cause: error },
                );
              }
            }
          }
        }
      }
    });
  }
});

test("a disk-full write is rolled back to the last good record, and space freed lets the log go on", async () => {
  const disk = new CrashableFileSystem();
  const plan = new FaultPlan();
  const fs = new FaultyFileSystem(disk, plan);
  const log = await openOn(fs, { flushStrategy: { kind: "sync" }, preAllocateEnabled: false });
  for (let id = 1; id <= 5; id++) log.append(payloadOf("run", id));
  const end = (await disk.fileMetadata("log/segment_00000000000000000001.log")).size;
  plan.add({ operation: "writeAt", fault: { kind: "shortWrite", bytes: 40, errno: "ENOSPC" }, nth: 1 });
  expect(() => log.append(payloadOf("run", 6))).toThrow(expect.objectContaining({ code: "NO_SPACE" }));
  expect((await disk.fileMetadata("log/segment_00000000000000000001.log")).size).toBe(end);
  expect(log.getSync(5)?.id).toBe(5);
  expect(log.getSync(6)).toBeUndefined();
  await expect(log.close()).rejects.toMatchObject({ code: "NO_SPACE" });
  const again = await openOn(fs);
  expect(again.recovery).toMatchObject({ lastId: 5, tornTail: undefined });
  expect(again.append(payloadOf("run", 6))).toBe(6);
  await again.close();
});

test("waiters learn of the failure, each once, and so does background state", async () => {
  const plan = new FaultPlan();
  const log = await openOn(new FaultyFileSystem(new CrashableFileSystem(), plan), {
    flushStrategy: { kind: "batched", batchSize: 1000 },
  });
  await log.appendDurable(new Uint8Array(1));
  plan.add({ operation: "sync", fault: { kind: "error", errno: "EIO" } });
  const waits = Array.from({ length: 10 }, () => log.appendDurable(new Uint8Array(1)));
  const following = log.read({ from: 2, follow: true }).next();
  for (const wait of [...waits, following]) await expect(wait).rejects.toMatchObject({ code: "IO" });
  expect(log.backgroundErrors.get("flush")).toBe(log.failure);
  expect(log.performanceMetrics().flush.failedFlushes).toBe(1);
  await expect(log.close()).rejects.toMatchObject({ code: "IO" });
  expect(log.state).toBe("closed");
});

test("a failure to prepare the next segment is noted, not fatal", async () => {
  const plan = new FaultPlan();
  const log = await openOn(new FaultyFileSystem(new CrashableFileSystem(), plan), {
    flushStrategy: { kind: "batched", batchSize: 1 },
  });
  plan.add({ operation: "createFile", nth: 1, fault: { kind: "error", errno: "ENOSPC" } });
  while (log.backgroundErrors.size === 0) await log.appendDurable(new Uint8Array(100));
  expect(log.backgroundErrors.get("preallocate")).toMatchObject({ code: "NO_SPACE" });
  for (let index = 0; index < 20; index++) await log.appendDurable(new Uint8Array(100));
  expect(log.segments().length).toBeGreaterThan(1);
  await log.close();
});

test("what a failed sync lost in the kernel is written again by the recovery that shows it", async () => {
  for (let nth = 1; nth < 40; nth++) {
    const disk = new CrashableFileSystem();
    const plan = new FaultPlan([{ operation: "sync", nth, fault: { kind: "error", errno: "EIO" } }]);
    const fs = new FaultyFileSystem(disk, plan);
    const { appended } = await run(fs, strategies["sync"] as Partial<AofSettings>);
    if (plan.injected === 0) break;
    plan.clear();
    // The same machine, no power loss: the page cache still has what the disk never got.
    const reopened = await openOn(fs, { flushStrategy: { kind: "sync" } });
    const shown = reopened.lastId;
    const id = reopened.append(payloadOf("run", shown + 1));
    const survivor = disk.crashClone({ model: "drop", random: new SeededRandom(seed + nth) });
    await assertRecovers(
      survivor,
      "run",
      { lowest: id, highest: Math.max(id, appended + 1), batches: [] },
      { ...logSettings },
    );
    await reopened.close();
  }
});
