// Goal: no crash, at any moment, loses what was acknowledged, or brings up what was never appended (G1, G2, G9, G10).
// Method: a scripted run on a file system that knows what power loss would leave; before every single operation its
// survivors are cloned under several models, recovered, judged, appended to, and opened again.
import { CrashableFileSystem, type CrashModel, crashModels, SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import type { Aof, AofSettings } from "../src/index.ts";
import { assertRecovers, openOn, type Owed, payloadOf } from "./support/log-harness.ts";

const seed = Number(process.env["VARVE_SEED"] ?? 20261121);
/** Share of the crash states that are recovered; all of them with VARVE_FULL=1. */
const share = process.env["VARVE_FULL"] === "1" ? 1 : 0.34;

interface CrashState {
  readonly at: string;
  readonly model: CrashModel;
  readonly survivor: CrashableFileSystem;
  readonly owed: Owed;
}

interface Script {
  readonly settings: Partial<AofSettings>;
  run(log: Aof, note: NoteBatch): Promise<void>;
}

function append(log: Aof): void {
  log.append(payloadOf("run", log.nextId));
}

type NoteBatch = (batch: { firstId: number; lastId: number }) => void;

/** Noted before it is appended: a crash may come while it is. */
function appendBatch(log: Aof, count: number, note: NoteBatch): void {
  const firstId = log.nextId;
  note({ firstId, lastId: firstId + count - 1 });
  log.appendBatch(Array.from({ length: count }, (_, index) => payloadOf("run", firstId + index)));
}

const scripts: Record<string, Script> = {
  "single appends under sync, over rotations": {
    settings: { flushStrategy: { kind: "sync" } },
    async run(log) {
      for (let index = 0; index < 60; index++) append(log);
    },
  },
  "group commit in the pool, over rotations": {
    settings: { flushStrategy: { kind: "batched", batchSize: 1000 } },
    async run(log) {
      for (let round = 0; round < 12; round++) {
        await Promise.all(Array.from({ length: 6 }, () => log.appendDurable(payloadOf("run", log.nextId))));
      }
    },
  },
  "atomic batches, some larger than the rest of a segment": {
    settings: { flushStrategy: { kind: "sync" } },
    async run(log, note) {
      for (let round = 0; round < 12; round++) appendBatch(log, 2 + ((round * 5) % 11), note);
    },
  },
  "batches and singles, asynchronous, flushed now and then": {
    settings: { flushStrategy: { kind: "async", maxPendingBytes: 3000 } },
    async run(log, note) {
      for (let round = 0; round < 14; round++) {
        append(log);
        appendBatch(log, 3 + (round % 4), note);
        if (round % 5 === 4) await log.flush();
        else await new Promise((resolve) => setImmediate(resolve));
      }
    },
  },
  "batched by count": {
    settings: { flushStrategy: { kind: "batched", batchSize: 7 } },
    async run(log) {
      for (let index = 0; index < 70; index++) {
        append(log);
        if (index % 9 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    },
  },
  "without preparation of segments": {
    settings: { flushStrategy: { kind: "sync" }, preAllocateEnabled: false },
    async run(log) {
      for (let index = 0; index < 60; index++) append(log);
    },
  },
};

async function record(
  script: Script,
  start: CrashableFileSystem,
  states: CrashState[],
  random: SeededRandom,
): Promise<void> {
  const run: { log?: Aof } = {};
  const batches: { firstId: number; lastId: number }[] = [];
  let highest = 0;
  let newest = { durable: 0, written: 0 };
  start.onOperation(({ index, name, path, phase }) => {
    if (phase !== "before") return;
    if (run.log !== undefined) {
      highest = Math.max(highest, run.log.lastId);
      newest = { durable: run.log.durableId, written: run.log.writtenId };
    }
    for (const model of crashModels) {
      if (random.next() >= share) continue;
      const survivor = start.crashClone({ model, random: new SeededRandom(seed + index * 31) });
      const lowest = model === "all" ? newest.written : newest.durable;
      // The record or batch under way is counted by the log only when it is whole in memory.
      const owed = { lowest, highest: Math.max(highest + 1, batches.at(-1)?.lastId ?? 0), batches: [...batches] };
      states.push({ at: `${index} ${name} ${path}`, model, survivor, owed });
    }
  });
  const log = await openOn(start, script.settings);
  run.log = log;
  await script.run(log, (batch) => batches.push(batch));
  await log.close();
  newest = { durable: log.lastId, written: log.lastId };
}

describe("a crash before any operation", () => {
  for (const [name, script] of Object.entries(scripts)) {
    test(name, { timeout: 120_000 }, async () => {
      const states: CrashState[] = [];
      await record(script, new CrashableFileSystem(), states, new SeededRandom(seed));
      expect(states.length).toBeGreaterThan(100);
      for (const { at, model, survivor, owed } of states) {
        try {
          await assertRecovers(survivor, "run", owed, script.settings);
        } catch (error) {
          throw new Error(`crash before operation ${at}, model ${model}, seed ${seed}: ${(error as Error).message}`, {
            cause: error,
          });
        }
      }
    });
  }

  test("of a recovery, and of the recovery of that", { timeout: 120_000 }, async () => {
    const random = new SeededRandom(seed + 1);
    const first: CrashState[] = [];
    const script = scripts["batches and singles, asynchronous, flushed now and then"] as Script;
    await record(script, new CrashableFileSystem(), first, random);
    for (let pick = 0; pick < 25; pick++) {
      const { at, model, survivor, owed } = first[random.int(first.length)] as CrashState;
      const nested: { fs: CrashableFileSystem; label: string; lowest: number }[] = [];
      survivor.onOperation(({ index, name, phase }) => {
        if (phase !== "before" || random.next() > 0.2) return;
        const inner = crashModels[random.int(crashModels.length)] as CrashModel;
        nested.push({
          fs: survivor.crashClone({ model: inner, random: new SeededRandom(seed + index) }),
          label: `${index} ${name} ${inner}`,
          lowest: owed.lowest,
        });
      });
      const log = await openOn(survivor, script.settings, 5);
      const recovered = log.lastId;
      await log.close();
      for (const { fs, label, lowest } of nested) {
        try {
          await assertRecovers(fs, "run", { lowest, highest: recovered, batches: owed.batches }, script.settings);
        } catch (error) {
          throw new Error(
            `crash at ${at} (${model}), then of its recovery at ${label}, seed ${seed}: ${(error as Error).message}`,
            { cause: error },
          );
        }
      }
    }
  });
});
