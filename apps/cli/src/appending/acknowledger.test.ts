/**
 * Goal: the acknowledger's invariants A1 to A3, and that nothing it met is swallowed.
 * Method: a log on a file system that knows what power loss would leave; at the very moment an id is printed the power is
 * cut on a copy, and the copy must hold that id.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Writable } from "node:stream";
import { Aof, type AofSettings } from "@varve/aof";
import { CrashableFileSystem, FaultyFileSystem, SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { Output, OutputClosed } from "../process/output.ts";
import { Acknowledger } from "./acknowledger.ts";

const settings: AofSettings = { dir: "log", indexKind: "memory", segmentSizeBytes: 8192 };
const noFd = -1;

interface Rig {
  readonly log: Aof;
  readonly output: Output;
  /** Ids in the order in which they were printed. */
  readonly printed: number[];
  /** What power loss would have left at each print. */
  readonly cuts: { readonly printedId: number; readonly survivor: CrashableFileSystem }[];
}

async function rig(more: Partial<AofSettings> = {}): Promise<Rig> {
  const fileSystem = new CrashableFileSystem();
  const log = await Aof.open({ ...settings, ...more }, { fileSystem, random: new SeededRandom(1) });
  const printed: number[] = [];
  const cuts: Rig["cuts"] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      printed.push(...chunk.toString().trim().split("\n").map(Number));
      cuts.push({
        printedId: printed.at(-1) ?? 0,
        survivor: fileSystem.crashClone({ model: "drop", random: new SeededRandom(2) }),
      });
      done();
    },
  });
  return { log, output: new Output(stream, noFd), printed, cuts };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe("A1, A2: what is printed survives power loss, in order, each once", () => {
  test.each([
    ["eagerly", true, undefined],
    ["by batches", false, { kind: "batched", batchSize: 7 }],
    ["under sync", false, { kind: "sync" }],
    ["when memory asks for it", false, { kind: "async", maxPendingBytes: 2000 }],
  ] as const)("%s", async (_name, isEager, flushStrategy) => {
    const { log, output, printed, cuts } = await rig(flushStrategy === undefined ? {} : { flushStrategy });
    const acknowledger = new Acknowledger(log, output, { isEager, isJson: false });
    for (let id = 1; id <= 400; id++) {
      log.append(Buffer.from(`record ${id}`));
      if (id % 20 === 0) {
        await acknowledger.noteAppended();
        await nextTurn();
      }
    }
    await acknowledger.finish();
    expect(acknowledger.count).toBe(400);
    await log.close();
    expect(printed).toEqual(upTo(400));
    expect(cuts.length).toBeGreaterThan(1);
    for (const { printedId, survivor } of cuts) {
      const recovered = await Aof.open(settings, { fileSystem: survivor, random: new SeededRandom(3) });
      expect(recovered.lastId).toBeGreaterThanOrEqual(printedId);
      expect(Buffer.from(recovered.getSync(printedId)?.payload ?? []).toString()).toBe(`record ${printedId}`);
      await recovered.close();
    }
  });
});

test("A3: with a reader that does not read, appending has to wait, and goes on when it reads", async () => {
  const { log } = await rig({ segmentSizeBytes: 16 * 2 ** 20 });
  const held: (() => void)[] = [];
  let printed = 0;
  const stream = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      printed += chunk.toString().split("\n").length - 1;
      held.push(done);
    },
  });
  const acknowledger = new Acknowledger(log, new Output(stream, noFd), { isEager: true, isJson: false });
  let appended = 0;
  let wait: Promise<void> | undefined;
  while (wait === undefined) {
    for (let round = 0; round < 1000; round++) log.append(Buffer.alloc(0));
    appended += 1000;
    expect(appended).toBeLessThan(100_000);
    wait = acknowledger.noteAppended();
    await nextTurn();
  }
  let isOver = false;
  const waiting = wait.then(() => {
    isOver = true;
  });
  await nextTurn();
  expect(isOver).toBe(false);
  const finished = (async () => {
    await waiting;
    await acknowledger.finish();
  })();
  while (printed < appended || held.length > 0) {
    held.shift()?.();
    await nextTurn();
  }
  await finished;
  expect(printed).toBe(appended);
  await log.close();
});

describe("what it met is told", () => {
  test("a reader that left: it says so, stops, and the log keeps everything", async () => {
    const { log } = await rig();
    const stream = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      },
    });
    const acknowledger = new Acknowledger(log, new Output(stream, noFd), { isEager: true, isJson: false });
    log.append(Buffer.from("one"));
    await acknowledger.noteAppended();
    await nextTurn();
    log.append(Buffer.from("two"));
    await acknowledger.noteAppended();
    await expect(acknowledger.finish()).rejects.toThrow(OutputClosed);
    expect(acknowledger.failed.aborted).toBe(true);
    expect(log.durableId).toBe(2);
    await log.close();
  });

  test("a disk that fails: nothing is printed for it, and the failure comes out", async () => {
    const faulty = new FaultyFileSystem(new CrashableFileSystem());
    const log = await Aof.open(settings, { fileSystem: faulty, random: new SeededRandom(1) });
    const fault = faulty.plan.add({ operation: "sync", path: /segment/, fault: { kind: "error", errno: "EIO" } });
    let text = "";
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        text += chunk.toString();
        done();
      },
    });
    const acknowledger = new Acknowledger(log, new Output(stream, noFd), { isEager: true, isJson: false });
    log.append(Buffer.from("one"));
    await acknowledger.noteAppended();
    await expect(acknowledger.finish()).rejects.toMatchObject({ name: "AofError" });
    expect(fault.injected).toBeGreaterThan(0);
    expect({ text, count: acknowledger.count }).toEqual({ text: "", count: 0 });
    await expect(log.close()).rejects.toMatchObject({ name: "AofError" });
  });
});
