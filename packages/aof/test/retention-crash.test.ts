// Goal: no crash and no failure, at any moment of trims, retention and cursor commits, makes a hole, brings a trimmed
// record back, starts ids anew, loses an acknowledged commit or lets a cursor stand beyond the end (G1, G2, G4, G9).
// Method: a scripted run on a file system that knows what power loss would leave; before every operation its survivors
// are cloned, recovered, judged, appended to and opened again, some of them run through the script and crashed once more;
// then every call of every kind fails once.
import assert from "node:assert/strict";
import type { FileSystem } from "@varve/fs-core";
import {
  CrashableFileSystem,
  type CrashModel,
  crashModels,
  FaultPlan,
  FaultyFileSystem,
  type FaultErrno,
  type FileOperationName,
  SeededRandom,
} from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { type Aof, type AofSettings, type Cursor, isAofError, verifyLog } from "../src/index.ts";
import { contentOf, openOn, payloadOf } from "./support/log-harness.ts";

const seed = Number(process.env["VARVE_SEED"] ?? 20261126);
/** Share of the crash states, and of the failing calls, that are tried; all of them with VARVE_FULL=1. */
const isFull = process.env["VARVE_FULL"] === "1";
const share = isFull ? 1 : 0.05;

/** What a recovery owes. Ids of one run, until the next, are those from `fromId` on. */
interface Owed {
  readonly runs: readonly { readonly fromId: number; readonly name: string }[];
  readonly durableId: number;
  readonly highestId: number;
  /** Where the log may begin: what was acknowledged, and what was asked for. */
  readonly firstId: readonly [lowest: number, highest: number];
  /** Where each cursor may stand; undefined: it need not be there. */
  readonly cursors: ReadonlyMap<string, ReadonlySet<number | undefined>>;
}

const nothingOwed: Owed = { runs: [], durableId: 0, highestId: 0, firstId: [1, 1], cursors: new Map() };

/** Drives a log and knows at every moment what it owes. */
class Run {
  readonly #before: Owed;
  readonly #name: string;
  #log: Aof | undefined;
  #runs: Owed["runs"];
  #appended: number;
  #askedFirstId = 1;
  readonly #asked = new Map<string, Set<number | undefined>>();

  constructor(name: string, before: Owed) {
    this.#name = name;
    this.#before = before;
    this.#runs = before.runs;
    this.#appended = before.highestId;
  }

  get owed(): Owed {
    const log = this.#log;
    if (log === undefined) return this.#before;
    const cursors = new Map<string, Set<number | undefined>>();
    for (const [name, asked] of this.#asked) cursors.set(name, new Set([...asked, undefined]));
    for (const { name, position } of log.cursors()) {
      const asked = this.#asked.get(name) ?? new Set();
      cursors.set(name, new Set([...asked, position]));
    }
    return {
      runs: this.#runs,
      durableId: log.durableId,
      highestId: Math.max(this.#appended, log.lastId + 1),
      firstId: [log.firstId, Math.max(log.firstId, this.#askedFirstId)],
      cursors,
    };
  }

  /** @throws what the log throws, after closing it */
  async drive(fileSystem: FileSystem, settings: Partial<AofSettings>, onOpen: () => void = () => {}): Promise<void> {
    const log = await openOn(fileSystem, settings);
    this.#log = log;
    this.#runs = [...this.#runs, { fromId: log.nextId, name: this.#name }];
    onOpen();
    try {
      const fast = await this.#cursor("fast");
      const slow = await this.#cursor("slow");
      for (let round = 0; round < 6; round++) {
        await this.#append(9);
        const lag = log.durableId - 4 * round;
        await Promise.all([
          this.#move("fast", log.durableId, () => fast.commit(log.durableId)),
          this.#cut(log.durableId - 14, () => log.trim(Math.max(1, log.durableId - 14))),
          this.#append(2),
        ]);
        if (lag > slow.position) await this.#move("slow", lag, () => slow.commit(lag));
        await this.#cut(log.lastId + 1, () => log.applyRetention());
        if (round === 3) {
          const back = Math.max(log.firstId, log.durableId - 5);
          await this.#move("fast", back - 1, () => fast.reset(back));
          await this.#move("slow", undefined, () => slow.delete());
          await this.#cursor("slow");
        }
      }
      await this.#move("slow", log.durableId, () => slow.commit(log.durableId));
      await this.#move("fast", undefined, () => fast.delete());
      await this.#cut(log.durableId + 1, () => log.trim(log.durableId + 1));
      await this.#append(3);
    } finally {
      await log.close();
    }
  }

  async #append(count: number): Promise<void> {
    const log = this.#log as Aof;
    for (let index = 0; index < count; index++) {
      this.#appended = log.nextId;
      await log.appendDurable(payloadOf(this.#name, log.nextId));
    }
  }

  async #cursor(name: string): Promise<Cursor> {
    const log = this.#log as Aof;
    // In flight it may begin where the log does, or stay where a run before left it.
    return this.#move(name, log.firstId - 1, () => log.cursor(name));
  }

  async #move<T>(name: string, position: number | undefined, move: () => Promise<T>): Promise<T> {
    const asked = this.#asked.get(name) ?? new Set();
    this.#asked.set(name, asked.add(position));
    const result = await move();
    this.#asked.delete(name);
    return result;
  }

  async #cut(beforeId: number, cut: () => Promise<{ readonly firstId: number }>): Promise<void> {
    this.#askedFirstId = Math.max(1, beforeId);
    const { firstId } = await cut();
    this.#askedFirstId = firstId;
  }
}

function nameOf(id: number, runs: Owed["runs"]): string {
  return (runs.findLast(({ fromId }) => fromId <= id) as { name: string }).name;
}

/** Every record from the log's first to its last, as it was appended; its cursors within it. */
async function assertSound(log: Aof, runs: Owed["runs"]): Promise<void> {
  const content = await contentOf(log);
  assert.equal(content.size, log.lastId - log.firstId + 1, "no hole");
  for (const [id, payload] of content) {
    assert.deepEqual(payload, new Uint8Array(payloadOf(nameOf(id, runs), id)), `record ${id}`);
  }
  if (log.firstId > 1) assert.throws(() => log.getSync(log.firstId - 1), { code: "RECORD_TRIMMED" });
  for (const { name, position } of log.cursors()) {
    assert.ok(position <= log.lastId, `cursor ${name} at ${position} is beyond ${log.lastId}`);
    assert.ok(position + 1 >= log.firstId, `${log.firstId} was trimmed in spite of cursor ${name} at ${position}`);
  }
}

/** Opens what a crash left, judges it, appends to it, opens it once more. @returns what is owed then */
async function assertRecovers(survivor: CrashableFileSystem, owed: Owed): Promise<Owed> {
  const log = await openOn(survivor, { ...settings, flushStrategy: { kind: "sync" } }, 2);
  const { firstId, lastId } = log;
  assert.ok(lastId >= owed.durableId, `${owed.durableId} was acknowledged, the log ends at ${lastId}`);
  assert.ok(lastId <= owed.highestId, `${owed.highestId} was the last appended, the log ends at ${lastId}`);
  const [lowest, highest] = owed.firstId;
  assert.ok(firstId >= lowest, `trimmed up to ${lowest}, the log begins at ${firstId}`);
  assert.ok(firstId <= highest, `asked to trim up to ${highest}, the log begins at ${firstId}`);
  const positions = new Map(log.cursors().map(({ name, position }) => [name, position]));
  for (const [name, allowed] of owed.cursors) {
    const text = [...allowed].join(", ");
    assert.ok(allowed.has(positions.get(name)), `cursor ${name} at ${positions.get(name)}, not at one of ${text}`);
  }
  for (const name of positions.keys()) assert.ok(owed.cursors.has(name), `nobody made cursor ${name}`);
  await assertSound(log, owed.runs);
  const runs = [...owed.runs, { fromId: lastId + 1, name: "after" }];
  for (let id = lastId + 1; id <= lastId + 3; id++) assert.equal(log.append(payloadOf("after", id)), id);
  await log.close();

  const again = await openOn(survivor, settings, 3);
  assert.equal(again.recovery.outcome, "clean");
  assert.deepEqual({ firstId: again.firstId, lastId: again.lastId }, { firstId, lastId: lastId + 3 });
  assert.deepEqual(new Map(again.cursors().map(({ name, position }) => [name, position])), positions);
  await assertSound(again, runs);
  const files = (await survivor.list("log")).filter(({ name }) => /^segment_\d+\.log$/.test(name));
  assert.equal(files.length, again.segments().length, "no file of a trimmed segment stays");
  await again.close();
  const { ok, problems } = await verifyLog({ dir: "log" }, {}, { fileSystem: survivor });
  assert.ok(ok, JSON.stringify(problems));
  return {
    runs,
    durableId: lastId + 3,
    highestId: lastId + 3,
    firstId: [firstId, firstId],
    cursors: new Map([...positions].map(([name, position]) => [name, new Set([position])])),
  };
}

interface CrashState {
  readonly at: string;
  readonly survivor: CrashableFileSystem;
  readonly owed: Owed;
}

const settings: Partial<AofSettings> = {
  segmentMaxRecords: 8,
  flushStrategy: { kind: "batched", batchSize: 4 },
  retention: { maxRecords: 20 },
};

/** The whole script on `fs`, and what a crash at each of the sampled moments would leave. */
async function crashStates(
  name: string,
  fs: CrashableFileSystem,
  before: Owed,
  part: number,
  random: SeededRandom,
  variant: Partial<AofSettings>,
): Promise<CrashState[]> {
  const states: CrashState[] = [];
  const run = new Run(name, before);
  const end = fs.onOperation(({ index, name: operation, path, phase }) => {
    if (phase !== "before") return;
    for (const model of crashModels) {
      if (random.next() >= part) continue;
      const survivor = fs.crashClone({ model, random: new SeededRandom(seed + index * 31) });
      states.push({ at: `${index} ${operation} ${path} (${model})`, survivor, owed: run.owed });
    }
  });
  await run.drive(fs, { ...settings, ...variant });
  end();
  return states;
}

async function judge({ at, survivor, owed }: CrashState): Promise<Owed> {
  try {
    return await assertRecovers(survivor, owed);
  } catch (error) {
    throw new Error(`crash before ${at}, seed ${seed}: ${(error as Error).message}`, { cause: error });
  }
}

describe("a crash before any operation", () => {
  test.each<[string, Partial<AofSettings>]>([
    ["group commit in the pool", {}],
    ["sync, without preparation of segments", { flushStrategy: { kind: "sync" }, preAllocateEnabled: false }],
  ])("of trims, retention and commits: %s", { timeout: 120_000 }, async (_name, variant) => {
    const random = new SeededRandom(seed);
    const states = await crashStates("run", new CrashableFileSystem(), nothingOwed, share, random, variant);
    expect(states.length).toBeGreaterThan(50);
    for (const state of states) await judge(state);
  });

  test("and of the run after that", { timeout: 120_000 }, async () => {
    const random = new SeededRandom(seed + 1);
    const first = await crashStates("run", new CrashableFileSystem(), nothingOwed, 0.1, random, {});
    for (let pick = 0; pick < 4; pick++) {
      const state = first[random.int(first.length)] as CrashState;
      const owed = await judge(state);
      const second = await crashStates("next", state.survivor, owed, 0.02, random, {});
      for (const inner of second) await judge({ ...inner, at: `${state.at}, recovered, then ${inner.at}` });
    }
  });

  test("and of the recovery", { timeout: 120_000 }, async () => {
    const random = new SeededRandom(seed + 2);
    const first = await crashStates("run", new CrashableFileSystem(), nothingOwed, 0.1, random, {});
    let judged = 0;
    for (let pick = 0; pick < 20; pick++) {
      const { at, survivor, owed } = first.splice(random.int(first.length), 1)[0] as CrashState;
      const nested: CrashState[] = [];
      const end = survivor.onOperation(({ index, name, path, phase }) => {
        if (phase !== "before" || random.next() > 0.15) return;
        const model = crashModels[random.int(crashModels.length)] as CrashModel;
        const clone = survivor.crashClone({ model, random: new SeededRandom(seed + index) });
        nested.push({
          at: `${at}, then of its recovery before ${index} ${name} ${path} (${model})`,
          survivor: clone,
          owed,
        });
      });
      await (await openOn(survivor, settings, 5)).close();
      end();
      for (const state of nested) await judge(state);
      judged += nested.length;
    }
    expect(judged).toBeGreaterThan(20);
  });
});

const faults: readonly (readonly [FileOperationName, FaultErrno])[] = [
  ["writeAt", "ENOSPC"],
  ["sync", "EIO"],
  ["syncDirectory", "EIO"],
  ["rename", "EIO"],
  ["createFile", "EMFILE"],
  ["openFile", "EMFILE"],
  ["deleteFile", "EIO"],
  ["linkCount", "EIO"],
  ["setSize", "EIO"],
];

describe("a failure of any call", () => {
  test.each(faults)(
    "%s: typed, and nothing that was acknowledged is lost",
    { timeout: 120_000 },
    async (operation, errno) => {
      const random = new SeededRandom(seed + 3);
      let failed = 0;
      for (let nth = 1; ; nth += isFull ? 1 : 1 + random.int(4)) {
        const disk = new CrashableFileSystem();
        const kind = random.next() < 0.5 ? "error" : "errorAfter";
        const sticky = random.next() < 0.5;
        const plan = new FaultPlan([{ operation, nth, sticky, fault: { kind, errno } }]);
        const run = new Run("run", nothingOwed);
        let failure: unknown;
        try {
          await run.drive(new FaultyFileSystem(disk, plan), settings);
        } catch (error) {
          failure = error;
        }
        if (plan.injected === 0) {
          expect(nth, `${operation} was never called`).toBeGreaterThan(1);
          break;
        }
        const at = `${operation} ${nth} (${kind}${sticky ? ", from then on" : ""})`;
        if (failure !== undefined) {
          failed++;
          expect(isAofError(failure), `${at}: ${(failure as Error).message}`).toBe(true);
        }
        const models: readonly CrashModel[] = [
          "drop",
          "all",
          crashModels[random.int(crashModels.length)] as CrashModel,
        ];
        for (const model of models) {
          const survivor = disk.crashClone({ model, random: new SeededRandom(seed + nth) });
          await judge({ at: `the end of a run with ${at} (${model})`, survivor, owed: run.owed });
        }
      }
      // What only tidies up may fail without a caller hearing of it.
      if (operation !== "deleteFile") expect(failed).toBeGreaterThan(0);
    },
  );
});
