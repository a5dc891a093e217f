// Goal: whatever is appended, trimmed, expired and committed in whatever order, over crashes and clock steps, a log is an
// array without its beginning, and its cursors a map (G2).
// Method: random commands drive a log and a model side by side; seeds are printed by fast-check on failure.
import { CrashableFileSystem, ManualClock, SeededRandom } from "@varve/fs-core/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Aof, type AofRecord, type RecordReader } from "../src/index.ts";
import { logSettings, payloadOf } from "./support/log-harness.ts";

const ttlMs = 60_000;
const maxRecords = 25;
const names = ["a", "b", "c"] as const;

type Name = (typeof names)[number];
type Command =
  | { kind: "append"; count: number; ttlMs: number | undefined }
  | { kind: "batch"; count: number }
  | { kind: "trim"; at: number; isNear: boolean; force: boolean }
  | { kind: "retain" | "open" | "pull" | "close" | "crash" }
  | { kind: "make" | "drop"; name: Name }
  | { kind: "commit" | "reset"; name: Name; at: number }
  | { kind: "clock" | "step"; ms: number };

const at = fc.nat({ max: 1000 });
const name = fc.constantFrom(...names);
const ownTtlMs = fc.option(fc.constantFrom(1000, 30_000, 500_000), { nil: undefined });
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("append"), count: fc.integer({ min: 1, max: 15 }), ttlMs: ownTtlMs }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("batch"), count: fc.integer({ min: 2, max: 7 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("trim"), at, isNear: fc.boolean(), force: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom("retain", "open", "pull", "pull", "close", "crash") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("make", "make", "drop"), name }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("commit", "commit", "reset"), name, at }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("clock"), ms: fc.integer({ min: 1, max: 40_000 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("step"), ms: fc.integer({ min: -90_000, max: 90_000 }) }) },
) as fc.Arbitrary<Command>;

/** A log, what it must be, and the clock that expiry is judged by. */
class Pair {
  readonly #clock: ManualClock = new ManualClock({ wallUs: 1_700_000_000_000_000 });
  #fs: CrashableFileSystem = new CrashableFileSystem();
  #seed = 1;
  #log!: Aof;
  /** When record `index + 1` expires, in µs. */
  readonly #expiresUs: number[] = [];
  #lastUs = 0;
  /** The log was opened without a record: it need not know the time of those that it had. */
  #isForgetful = false;
  #firstId = 1;
  readonly #cursors = new Map<Name, number>();
  #offsetUs = 0;
  #reader: { readonly reader: RecordReader; nextId: number } | undefined;

  async open(): Promise<void> {
    const random = new SeededRandom(this.#seed++);
    // Never by itself: what goes is what the commands say.
    const retention = { maxRecords, intervalMs: 86_400_000 };
    const settings = { ...logSettings, segmentMaxRecords: 8, ttlMs, retention } as const;
    this.#log = await Aof.open(
      { ...settings, flushStrategy: { kind: "sync" } },
      { fileSystem: this.#fs, clock: this.#clock, random },
    );
    this.#offsetUs = Number.POSITIVE_INFINITY;
    this.#nowUs();
    this.#isForgetful = this.#firstId > this.#expiresUs.length;
  }

  async do(step: Command): Promise<void> {
    this.#nowUs();
    const log = this.#log;
    switch (step.kind) {
      case "append":
        for (let index = 0; index < step.count; index++) {
          const id = log.append(payloadOf("run", log.nextId), step.ttlMs === undefined ? {} : { ttlMs: step.ttlMs });
          expect(id).toBe(this.#expiresUs.length + 1);
          this.#note(step.ttlMs);
        }
        return;
      case "batch": {
        const payloads = Array.from({ length: step.count }, (_, index) => payloadOf("run", log.nextId + index));
        expect(log.appendBatch(payloads).firstId).toBe(this.#expiresUs.length + 1);
        for (let index = 0; index < step.count; index++) this.#note(undefined);
        return;
      }
      case "trim": {
        // Where a cursor stands is where trims go wrong.
        const near = Math.min(this.#lowestCursor() + (step.at % 4), log.lastId + 1);
        const beforeId = step.isNear && near > 0 ? near : 1 + (step.at % (log.lastId + 1));
        const report = await log.trim(beforeId, { force: step.force });
        const held = step.force ? beforeId : Math.min(beforeId, this.#lowestCursor());
        this.#firstId = Math.max(this.#firstId, held);
        expect(report.firstId).toBe(this.#firstId);
        return;
      }
      case "retain":
        return this.#retain();
      case "make":
        if (!this.#cursors.has(step.name)) this.#cursors.set(step.name, this.#firstId - 1);
        await log.cursor(step.name);
        return;
      case "drop":
        if (!this.#cursors.delete(step.name)) return;
        return (await log.cursor(step.name)).delete();
      case "commit": {
        const position = this.#cursors.get(step.name);
        if (position === undefined) return;
        const id = position + (step.at % (log.lastId - position + 1));
        await (await log.cursor(step.name)).commit(id);
        this.#cursors.set(step.name, id);
        return;
      }
      case "reset": {
        if (!this.#cursors.has(step.name)) return;
        const id = this.#firstId + (step.at % (log.lastId - this.#firstId + 2));
        await (await log.cursor(step.name)).reset(id);
        this.#cursors.set(step.name, id - 1);
        return;
      }
      case "open":
        await this.#reader?.reader.return();
        this.#reader = { reader: log.read({ onTrimmed: "skip" }), nextId: this.#firstId };
        return;
      case "pull":
        return this.#pull();
      case "clock":
        this.#clock.advance(step.ms);
        return;
      case "step":
        this.#clock.setWallUs(this.#clock.wallUs() + step.ms * 1000);
        return;
      case "close":
        this.#reader = undefined;
        await log.close();
        return this.open();
      case "crash": {
        this.#reader = undefined;
        const random = new SeededRandom(this.#seed++);
        const survivor = this.#fs.crashClone({ model: "subset", random });
        await log.close();
        this.#fs = survivor;
        return this.open();
      }
    }
  }

  async check(): Promise<void> {
    const log = this.#log;
    const nowUs = this.#nowUs();
    expect(log).toMatchObject({ firstId: this.#firstId, lastId: this.#expiresUs.length });
    expect(new Map(log.cursors().map((cursor) => [cursor.name, cursor.position]))).toEqual(this.#cursors);
    const expected: number[] = [];
    for (let id = this.#firstId; id <= this.#expiresUs.length; id++) if (this.#lives(id, nowUs)) expected.push(id);
    const found: number[] = [];
    for await (const record of log.read()) found.push(assertRecord(record));
    expect(found).toEqual(expected);
    const backwards: number[] = [];
    for await (const record of log.read({ reverse: true })) backwards.push(assertRecord(record));
    expect(backwards.reverse()).toEqual(expected);
    for (const id of [this.#firstId - 1, this.#firstId, this.#expiresUs.length]) {
      if (id < 1 || id > this.#expiresUs.length) continue;
      if (id < this.#firstId)
        expect(() => log.getSync(id)).toThrow(expect.objectContaining({ code: "RECORD_TRIMMED" }));
      else expect(log.getSync(id)?.id).toBe(expected.includes(id) ? id : undefined);
    }
  }

  async end(): Promise<void> {
    await this.#log.close();
    await this.open();
    await this.check();
    await this.#log.close();
    expect(this.#clock.pendingTimers).toBe(0);
  }

  /** Wall time that no step ahead hurries; looked at before the log looks. */
  #nowUs(): number {
    this.#offsetUs = Math.min(this.#offsetUs, this.#clock.wallUs() - this.#clock.monotonicUs());
    return this.#offsetUs + this.#clock.monotonicUs();
  }

  #note(ownMs: number | undefined): void {
    const timestampUs = this.#log.getSync(this.#expiresUs.length + 1)?.timestampUs;
    // Times of a log never fall.
    const raised = Math.max(this.#lastUs, this.#clock.wallUs());
    this.#lastUs = this.#isForgetful && timestampUs !== raised ? this.#clock.wallUs() : raised;
    expect(timestampUs).toBe(this.#lastUs);
    this.#isForgetful = false;
    this.#expiresUs.push(this.#lastUs + (ownMs ?? ttlMs) * 1000);
  }

  #lives(id: number, nowUs: number): boolean {
    return (this.#expiresUs[id - 1] as number) > nowUs;
  }

  #lowestCursor(): number {
    return Math.min(...[...this.#cursors.values()].map((position) => position + 1), Number.POSITIVE_INFINITY);
  }

  async #retain(): Promise<void> {
    const nowUs = this.#nowUs();
    const log = this.#log;
    const { firstId, due } = await log.applyRetention();
    for (const { baseId, lastId, reason } of due) {
      if (reason === "records") expect(log.lastId - Math.max(this.#firstId, baseId) + 1).toBeGreaterThan(maxRecords);
      else for (let id = baseId; id <= lastId; id++) expect(this.#lives(id, nowUs), `record ${id}`).toBe(false);
    }
    const end = due.at(-1) === undefined ? 1 : (due.at(-1) as { lastId: number }).lastId + 1;
    expect(firstId).toBe(Math.max(this.#firstId, Math.min(end, this.#lowestCursor())));
    this.#firstId = firstId;
  }

  /** The next living record that no trim has taken; one that the reader had in memory may expire before it is handed out. */
  async #pull(): Promise<void> {
    if (this.#reader === undefined) return;
    const result = await this.#reader.reader.next();
    if (result.done === true) {
      this.#reader = undefined;
      return;
    }
    const id = assertRecord(result.value);
    expect(id).toBeGreaterThanOrEqual(this.#reader.nextId);
    for (let skipped = Math.max(this.#reader.nextId, this.#firstId); skipped < id; skipped++) {
      expect(this.#lives(skipped, this.#nowUs()), `record ${skipped} was passed by`).toBe(false);
    }
    this.#reader.nextId = id + 1;
  }
}

function assertRecord({ id, payload }: AofRecord): number {
  expect(Buffer.compare(payload, payloadOf("run", id)), `record ${id}`).toBe(0);
  return id;
}

test("a log is an array without its beginning", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40, size: "max" }), async (commands) => {
      const pair = new Pair();
      await pair.open();
      for (const step of commands) {
        await pair.do(step);
        await pair.check();
      }
      await pair.end();
    }),
    { numRuns: process.env["VARVE_FULL"] === "1" ? 2000 : 25 },
  );
});
