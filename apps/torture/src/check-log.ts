/**
 * Reads a log along every path there is and compares what they say, so that a path which returns wrong bytes is caught
 * by the others. A typed error of any path makes the whole answer that error: a damaged log may refuse. Two paths that
 * disagree, or an error without a code, are defects, and throw.
 */
import { type Aof, type AofError, type AofRecord, isAofError, type ReadOnlyLog } from "@varve/aof";
import type { Random } from "@varve/fs-core";
import { contractId, type Floors, parsePayload, type RecoveredRecord, tornBatches } from "./record-identity.ts";

/** What the paths need from a log. */
export type CheckableLog = Pick<Aof, "firstId" | "getSync" | "lastId" | "read" | "readBatches">;

/** What a recovered log holds. */
export interface LogContent {
  /** Contract ids in log order, and one that nobody appended for every atomic batch of which a part is missing. */
  readonly ids: string[];
  /** Records that the forward scan gave. */
  readonly records: number;
  /** What the records say was acknowledged before them. */
  readonly floors: Floors;
  /** The first typed error of any path. */
  readonly error: AofError | undefined;
}

/**
 * @param seen what other paths gave before; this one adds to it
 * @throws Error when two paths disagree
 */
export async function checkLog(log: CheckableLog, random: Random, seen: Seen = new Seen()): Promise<LogContent> {
  const forward = await collect(() => log.read(), seen, "read", 1);
  const failures = [
    forward.error,
    (await collect(() => log.read({ reverse: true }), seen, "readReverse", -1)).error,
    await batches(log, seen),
    getEach(log, seen, random),
    await fromTimes(log, forward, random),
  ];
  const error = failures.find((failure) => failure !== undefined);
  const { records } = forward;
  const ids = records.map(({ id }) => id);
  const floors = highestFloors(records);
  if (error !== undefined) return { ids, records: ids.length, floors, error };
  for (const path of paths) {
    const count = seen.count(path);
    if (count !== log.lastId - log.firstId + 1) {
      throw new Error(`${path} saw ${count} records of ${log.firstId}..${log.lastId}`);
    }
  }
  const torn = tornBatches(records, log.firstId > 1);
  return { ids: [...ids, ...torn], records: ids.length, floors, error: undefined };
}

/** Reads a log that may not be changed, and adds to `seen`. Resolves with how many records there were. */
export async function checkReadOnly(log: Pick<ReadOnlyLog, "read">, seen: Seen): Promise<number> {
  const { records, error } = await collect(() => log.read(), seen, "readOnly", 1);
  if (error !== undefined) throw error;
  return records.length;
}

/** The paths that must each show every record of an undamaged log. */
const paths = ["read", "readReverse", "readBatches", "getSync"] as const;
type Path = (typeof paths)[number] | "readOnly";

interface Collected {
  readonly records: (RecoveredRecord & { readonly id: string; readonly timestampUs: number })[];
  readonly error: AofError | undefined;
}

function highestFloors(records: readonly RecoveredRecord[]): Floors {
  const all = records.flatMap(({ tag }) => tag?.floors ?? []);
  return {
    cursor: Math.max(0, ...all.map(({ cursor }) => cursor)),
    firstId: Math.max(0, ...all.map(({ firstId }) => firstId)),
  };
}

/** The first answer for each log id, and a complaint about every other. */
export class Seen {
  readonly #counts = new Map<Path, number>();
  readonly #byLogId = new Map<number, string>();

  /** @throws Error when another path gave other bytes */
  note(path: Path, record: AofRecord): string {
    const id = contractId(record.id, record.payload);
    const known = this.#byLogId.get(record.id);
    if (known !== undefined && known !== id) throw new Error(`${path} says ${id}, another path ${known}`);
    if (known === undefined) this.#byLogId.set(record.id, id);
    this.#counts.set(path, this.count(path) + 1);
    return id;
  }

  /** Records noted for `path` since it began. */
  count(path: Path): number {
    return this.#counts.get(path) ?? 0;
  }

  begin(path: Path): void {
    this.#counts.set(path, 0);
  }
}

/** @param step from each id to the next */
async function collect(open: () => AsyncIterable<AofRecord>, seen: Seen, path: Path, step: 1 | -1): Promise<Collected> {
  seen.begin(path);
  const records: Collected["records"] = [];
  const error = await typed(async () => {
    for await (const record of open()) {
      const id = seen.note(path, record);
      records.push({ logId: record.id, id, timestampUs: record.timestampUs, tag: parsePayload(record.payload) });
    }
  });
  for (const [k, { logId }] of records.entries()) {
    const before = records[k - 1]?.logId;
    if (before !== undefined && logId - before !== step) throw new Error(`${path} went from ${before} to ${logId}`);
  }
  return { records, error };
}

async function batches(log: CheckableLog, seen: Seen): Promise<AofError | undefined> {
  seen.begin("readBatches");
  return typed(async () => {
    for await (const batch of log.readBatches()) {
      for (const record of batch) seen.note("readBatches", record);
    }
  });
}

/** Every record by id, in an order that no read-ahead expects, and the ids around the log's ends. */
function getEach(log: CheckableLog, seen: Seen, random: Random): AofError | undefined {
  const path = "getSync";
  seen.begin(path);
  let error: AofError | undefined;
  const count = log.lastId - log.firstId + 1;
  const order = Array.from({ length: count }, (_, k) => log.firstId + k);
  for (let k = count - 1; k > 0; k--) {
    const other = random.int(k + 1);
    [order[k], order[other]] = [order[other] as number, order[k] as number];
  }
  for (const logId of order) {
    try {
      const record = log.getSync(logId);
      if (record === undefined) throw new Error(`${path} knows no record ${logId} of ${log.firstId}..${log.lastId}`);
      if (record.id !== logId) throw new Error(`${path} of ${logId} gave record ${record.id}`);
      seen.note(path, record);
    } catch (failure) {
      if (!isAofError(failure)) throw failure;
      error ??= failure;
    }
  }
  if (log.getSync(log.lastId + 1) !== undefined) throw new Error(`${path} gave a record after the last, ${log.lastId}`);
  return error;
}

/** A few look-ups by time, each compared with what the scan says. */
async function fromTimes(log: CheckableLog, forward: Collected, random: Random): Promise<AofError | undefined> {
  const { records } = forward;
  if (forward.error !== undefined || records.length === 0) return undefined;
  for (let k = 0; k < 3; k++) {
    const { timestampUs } = records[random.int(records.length)] as (typeof records)[number];
    const expected = records.find((record) => record.timestampUs >= timestampUs)?.logId;
    const error = await typed(async () => {
      for await (const record of log.read({ from: { timestampUs }, limit: 1 })) {
        if (record.id !== expected)
          throw new Error(`from ${timestampUs} µs begins at ${record.id}, not at ${expected}`);
      }
    });
    if (error !== undefined) return error;
  }
  return undefined;
}

async function typed(action: () => Promise<void>): Promise<AofError | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    if (!isAofError(error)) throw error;
    return error;
  }
}
