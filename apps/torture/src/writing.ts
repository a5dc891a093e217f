/**
 * Appends to one open log and tells the oracle about it.
 *
 * Always true:
 *  I1  T of a record is out before the append call begins, in log order, under the id the log is about to give it
 *  I2  A is out only after the log said durable: the call that promises it returned, or `durableId` passed it
 *  I3  `Outstanding` holds every record that was tried and is not acknowledged as durable
 */
import { type Aof, type Cursor, type DurableAppendOptions, isAofError } from "@varve/aof";
import type { Random } from "@varve/fs-core";
import { contractId, cursorName } from "./record-identity.ts";
import type { RecordSource } from "./record-source.ts";
import type { WriterOptions } from "./writer-options.ts";
import type { EventKind } from "./output.ts";

/** What the loops need from a log. */
export type WritableLog = Pick<
  Aof,
  | "append"
  | "applyRetention"
  | "appendBatch"
  | "appendBatchDurable"
  | "appendDurable"
  | "cursor"
  | "durableId"
  | "firstId"
  | "flush"
  | "getSync"
  | "nextId"
  | "options"
  | "state"
  | "trim"
  | "whenDurable"
  | "writtenId"
>;

export interface WritingParts {
  readonly random: Random;
  readonly source: RecordSource;
  readonly print: (kind: EventKind, ids: readonly string[]) => void;
  /** Resolves when the next burst may begin. */
  readonly turn: () => Promise<void>;
}

/** Records that were tried and are not known to be durable, by log id, in log order. */
export type Outstanding = Map<number, string>;

export class Writing {
  readonly #log: WritableLog;
  readonly #options: WriterOptions;
  readonly #parts: WritingParts;
  readonly #outstanding: Outstanding;
  /** V was printed up to here. */
  #writtenId = 0;
  #left: number;
  /** Waits that only a flush or the close ends. */
  readonly #waits: Promise<void>[] = [];

  constructor(log: WritableLog, options: WriterOptions, parts: WritingParts, outstanding: Outstanding, left: number) {
    this.#log = log;
    this.#options = options;
    this.#parts = parts;
    this.#outstanding = outstanding;
    this.#left = left;
  }

  /** Records that are still to be appended. */
  get left(): number {
    return this.#left;
  }

  /** Appends until the count is reached or `stopped` says so. @throws the log's failure */
  async run(stopped: () => boolean): Promise<void> {
    if (this.#options.durableCallers === 0) return this.#oneCaller(stopped);
    const callers = Array.from({ length: this.#options.durableCallers }, () => this.#durableCaller(stopped));
    const failed = (await Promise.allSettled(callers)).find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason as Error;
  }

  /** Tells what the log says about the records so far. */
  report(): void {
    const { durableId, writtenId } = this.#log;
    const durable: string[] = [];
    const written: string[] = [];
    for (const [logId, id] of this.#outstanding) {
      if (logId <= durableId) {
        durable.push(id);
        this.#outstanding.delete(logId);
      } else if (logId <= writtenId) {
        if (logId > this.#writtenId) written.push(id);
      } else break;
    }
    this.#writtenId = Math.max(this.#writtenId, writtenId);
    this.#parts.print("V", written);
    this.#parts.print("A", durable);
  }

  /** After the log was closed: everything is durable, and every wait must have ended well. */
  async closed(): Promise<void> {
    await Promise.all(this.#waits);
    this.#parts.print("A", [...this.#outstanding.values()]);
    this.#outstanding.clear();
  }

  async #oneCaller(stopped: () => boolean): Promise<void> {
    const { random } = this.#parts;
    const isSync = this.#log.options.flushStrategy.kind === "sync";
    while (this.#left > 0 && !stopped()) {
      const burst = isSync ? 1 : 1 + random.int(8);
      for (let k = 0; k < burst && this.#left > 0; k++) {
        const last = await this.#append();
        if (random.int(8) === 0) this.#wait(last);
        // The promise of `sync` is the return itself.
        if (isSync) this.#acknowledge(last);
      }
      await this.#parts.turn();
      this.report();
      if (random.int(16) === 0) this.#acknowledge(await this.#flush());
      if (random.int(4) === 0) await this.#tryUpkeep();
    }
  }

  /** Upkeep that could not read what it needs, or not begin, has changed nothing: the log goes on. */
  async #tryUpkeep(): Promise<void> {
    try {
      await this.#upkeep();
    } catch (error) {
      if (!isAofError(error) || this.#log.state !== "open") throw error;
    }
  }

  /** Commits the cursor, trims and applies retention, as the options ask for, and notes what was acknowledged. */
  async #upkeep(): Promise<void> {
    const { cursor: hasCursor, keepRecords } = this.#options;
    const { random, source } = this.#parts;
    let { cursor, firstId } = source.floors ?? { cursor: 0, firstId: 0 };
    if (hasCursor) cursor = await this.#moveCursor(cursor);
    if (keepRecords > 0) {
      const beforeId = this.#log.durableId + 1 - keepRecords;
      if (random.int(2) === 0 && beforeId > this.#log.firstId) {
        await this.#mayTrim((await this.#log.trim(beforeId, { dryRun: true })).firstId);
        firstId = (await this.#log.trim(beforeId)).firstId;
      } else {
        await this.#mayTrim((await this.#log.applyRetention({ dryRun: true })).firstId);
        firstId = (await this.#log.applyRetention()).firstId;
      }
    }
    if (hasCursor || keepRecords > 0) source.floors = { cursor, firstId };
  }

  /**
   * Commits a position. A commit that fails before CURSORS is replaced has changed nothing, and the log goes on.
   * @param known the position before
   * @returns the position that was acknowledged
   */
  async #moveCursor(known: number): Promise<number> {
    const { durableId } = this.#log;
    let held: Cursor | undefined;
    let before = known;
    try {
      held = await this.#log.cursor(cursorName);
      before = held.position;
      if (durableId >= before) await held.commit(Math.max(before, durableId - this.#parts.random.int(5)));
      return held.position;
    } catch (error) {
      if (!isAofError(error) || this.#log.state !== "open") throw error;
      if (held !== undefined && held.position !== before) {
        throw new Error(`a failed commit moved the cursor from ${before} to ${held.position}`, { cause: error });
      }
      return before;
    }
  }

  /** Says X for the newest record below `firstId`. */
  async #mayTrim(firstId: number): Promise<void> {
    if (firstId <= this.#log.firstId) return;
    const record = this.#log.getSync(firstId - 1);
    if (record !== undefined) this.#parts.print("X", [contractId(record.id, record.payload)]);
  }

  async #flush(): Promise<number> {
    const last = this.#log.nextId - 1;
    await this.#log.flush();
    return last;
  }

  async #append(): Promise<number> {
    for (;;) {
      const { payloads, ids } = this.#announce();
      try {
        const [first] = payloads;
        const options = this.#extras([...ids.values()][0] as string);
        if (payloads.length === 1 && first !== undefined) return this.#log.append(first, options);
        return this.#log.appendBatch(payloads, options).lastId;
      } catch (error) {
        await this.#afterRefusal(error, ids);
      }
    }
  }

  async #durableCaller(stopped: () => boolean): Promise<void> {
    while (this.#left > 0 && !stopped()) {
      const { payloads, ids } = this.#announce();
      try {
        const [first] = payloads;
        const options = this.#extras([...ids.values()][0] as string);
        if (payloads.length === 1 && first !== undefined) await this.#log.appendDurable(first, options);
        else await this.#log.appendBatchDurable(payloads, options);
      } catch (error) {
        // Only a refused append changed nothing; one whose wait failed was made, and may be found.
        if (!isRefusal(error)) throw error;
        await this.#afterRefusal(error, ids);
        continue;
      }
      this.#parts.print("A", [...ids.values()]);
      for (const logId of ids.keys()) this.#outstanding.delete(logId);
      await this.#parts.turn();
    }
  }

  /** Headers, an expiry that does not come, a key of its own: on half of the appends. */
  #extras(id: string): DurableAppendOptions | undefined {
    const { random } = this.#parts;
    if (!this.#options.extras || random.int(2) === 0) return undefined;
    return { headers: { id }, ttlMs: 10 ** 9, dedupeKey: `${id} ${random.u64()}` };
  }

  /** Prints T for the next append and counts it. Nothing may run between this and the call to the log. */
  #announce(): { readonly payloads: readonly Uint8Array[]; readonly ids: Outstanding } {
    const { random, source, print } = this.#parts;
    const { batchMax } = this.#options;
    const size = batchMax > 1 && random.int(3) === 0 ? 2 + random.int(batchMax - 1) : 1;
    const payloads = source.take(Math.max(1, Math.min(size, this.#left)));
    const firstId = this.#log.nextId;
    const ids: Outstanding = new Map(payloads.map((payload, k) => [firstId + k, contractId(firstId + k, payload)]));
    print("T", [...ids.values()]);
    for (const [logId, id] of ids) this.#outstanding.set(logId, id);
    this.#left -= payloads.length;
    return { payloads, ids };
  }

  /** Says F; on backpressure waits until there is room, otherwise throws. */
  async #afterRefusal(error: unknown, ids: Outstanding): Promise<void> {
    this.#parts.print("F", [...ids.values()]);
    for (const logId of ids.keys()) this.#outstanding.delete(logId);
    if (!isAofError(error) || error.ready === undefined) throw error;
    this.#left += ids.size;
    await error.ready;
    this.report();
  }

  #wait(logId: number): void {
    const waiting = this.#log.whenDurable(logId).then(() => {
      if (this.#log.durableId < logId) throw new Error(`whenDurable(${logId}) resolved at ${this.#log.durableId}`);
    });
    // `closed` takes it up again; after a failure nobody does, and the failure is reported by other means.
    waiting.catch(() => {});
    this.#waits.push(waiting);
  }

  #acknowledge(lastId: number): void {
    const ids: string[] = [];
    for (const [logId, id] of this.#outstanding) {
      if (logId > lastId) break;
      ids.push(id);
      this.#outstanding.delete(logId);
    }
    this.#parts.print("A", ids);
  }
}

/** Whether the append changed nothing, so that the record must be tried again to be written. */
function isRefusal(error: unknown): boolean {
  return isAofError(error) && (error.code === "BACKPRESSURE" || error.code === "POISONED" || error.code === "CLOSED");
}
