import type { Aof } from "@varve/aof";

/** One way to append records and learn that they are durable. */
export interface AppendWay {
  readonly name: string;
  /** Records at most in one call. */
  readonly recordsMax: number;
  /** Whether a log with this kind of flush strategy can be used so. */
  suits(kind: string): boolean;
  /**
   * Appends `records` before it first waits, so that calls may overlap and keep their order, and resolves with the ids
   * they got when all of them survive power loss.
   */
  append(log: Aof, records: readonly Uint8Array[]): Promise<readonly number[]>;
}

/** All of them; a writer mixes those that suit its log. */
export const appendWays: readonly AppendWay[] = [
  {
    name: "group commit: many callers wait, each for its own record",
    recordsMax: 512,
    suits: () => true,
    append: (log, records) => Promise.all(records.map((record) => log.appendDurable(record))),
  },
  {
    name: "an atomic batch",
    recordsMax: 1000,
    suits: () => true,
    async append(log, records) {
      const { firstId, lastId } = await log.appendBatchDurable(records);
      return range(firstId, lastId);
    },
  },
  {
    name: "many appends, then one flush",
    recordsMax: 2000,
    // Under `sync` each of these appends would be a sync of its own.
    suits: (kind) => kind !== "sync",
    async append(log, records) {
      const ids = records.map((record) => log.append(record));
      await log.flush();
      return ids;
    },
  },
  {
    name: "appends that the log flushes by itself",
    recordsMax: 600,
    // The others would wait for a batch to fill, or for memory to run out.
    suits: (kind) => kind === "periodic" || kind === "batched-or-periodic",
    async append(log, records) {
      const ids = records.map((record) => log.append(record));
      await log.whenDurable(ids.at(-1) as number);
      return ids;
    },
  },
  {
    name: "appends that are durable when they return",
    recordsMax: 4,
    suits: (kind) => kind === "sync",
    async append(log, records) {
      return records.map((record) => log.append(record));
    },
  },
];

function range(firstId: number, lastId: number): number[] {
  return Array.from({ length: lastId - firstId + 1 }, (_, index) => firstId + index);
}
