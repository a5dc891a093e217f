/**
 * Appends a file of records to a log in a random mixture of ways, several calls in flight.
 *
 * Always true:
 *  I1  `announce(id)` was called before any record up to `id` was appended
 *  I2  `durable(id, …)` is called only when every record up to `id` is acknowledged as durable, ids rising
 *  I3  record n of the file gets id n
 *  I4  bytes in flight stay below half of the log's buffer, one record aside
 */
import type { Aof } from "@varve/aof";
import type { Clock, Random } from "@varve/fs-core";
import type { AppendWay } from "./append-ways.ts";
import { ContentHash } from "./content-hash.ts";
import { IngestError } from "./errors.ts";
import type { RecordFile } from "./record-file.ts";

export interface AppendPlan {
  /** Append up to this record. */
  readonly untilId: number;
  readonly ways: readonly AppendWay[];
  /** Stops before the next call; what is in flight is waited for. */
  readonly signal: AbortSignal;
}

export interface AppendParts {
  readonly random: Random;
  readonly clock: Clock;
}

export interface AppendEvents {
  announce(upToId: number): void;
  /** @param hash of all records appended by this loop, up to that one */
  durable(upToId: number, hash: string): void;
}

const callsInFlight = 16;
const callBytesMax = 256 * 1024;

interface Call {
  readonly firstId: number;
  readonly lastId: number;
  readonly hash: string;
  readonly bytes: number;
  readonly settled: Promise<Settled>;
}

type Settled = { readonly ids: readonly number[] } | { readonly error: unknown };

/** @param records standing at the record that the log appends next */
export async function appendRecords(
  log: Aof,
  records: RecordFile,
  plan: AppendPlan,
  events: AppendEvents,
  { random, clock }: AppendParts,
): Promise<void> {
  const hash = new ContentHash();
  const inFlight: Call[] = [];
  // A call stays inside one segment: a quarter of it leaves room for the headers of small records.
  const bytesMax = Math.min(callBytesMax, Math.floor(log.options.segmentSizeBytes / 4));
  const bytesInFlightMax = log.options.bufferBytes / 2;
  let bytesInFlight = 0;

  const settleOldest = async (): Promise<void> => {
    const call = inFlight.shift();
    if (call === undefined) return;
    bytesInFlight -= call.bytes;
    const settled = await call.settled;
    if ("error" in settled) throw settled.error;
    assertIds(call, settled.ids);
    events.durable(call.lastId, call.hash);
  };

  while (log.lastId < plan.untilId && !plan.signal.aborted) {
    const way = plan.ways[random.int(plan.ways.length)] as AppendWay;
    const wanted = Math.min(1 + random.int(way.recordsMax), plan.untilId - log.lastId);
    const taken = await records.take(wanted, bytesMax);
    if (taken.length === 0) throw new IngestError("INPUT_UNREADABLE", `the input ends before record ${plan.untilId}`);
    const bytes = taken.reduce((sum, record) => sum + record.length + 64, 0);
    while (inFlight.length >= callsInFlight || (inFlight.length > 0 && bytesInFlight + bytes > bytesInFlightMax)) {
      await settleOldest();
    }
    for (const record of taken) hash.add(record);
    const firstId = log.nextId;
    const lastId = firstId + taken.length - 1;
    events.announce(lastId);
    bytesInFlight += bytes;
    inFlight.push({ firstId, lastId, hash: hash.digest(), bytes, settled: settle(way.append(log, taken)) });
    // Blocking appends would keep the loop for themselves, and a parent's word or a signal unheard.
    await new Promise<void>((resolve) => clock.defer(resolve));
  }
  while (inFlight.length > 0) await settleOldest();
}

/** Never rejects, so that a call which fails while an older one is waited for is not an unhandled rejection. */
async function settle(ids: Promise<readonly number[]>): Promise<Settled> {
  try {
    return { ids: await ids };
  } catch (error) {
    return { error };
  }
}

function assertIds(call: Call, ids: readonly number[]): void {
  const wrong = ids.findIndex((id, index) => id !== call.firstId + index);
  if (wrong === -1 && ids.length === call.lastId - call.firstId + 1) return;
  throw new RangeError(
    `appending records ${call.firstId} to ${call.lastId} gave ${ids.length} ids, ` +
      `${wrong === -1 ? "too few or too many" : `the one of record ${call.firstId + wrong} being ${String(ids[wrong])}`}`,
  );
}
