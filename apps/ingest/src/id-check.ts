/** Reads by id: records picked at random, in random order, compared with what was sent. */
import type { Aof } from "@varve/aof";
import type { Random } from "@varve/fs-core";
import { type Check, check, excerpt, type Finding } from "./checks.ts";
import { RecordFile } from "./record-file.ts";
import type { Workspace } from "./workspace.ts";

/** For the report. Times of single reads, page cache warm or not as it happens. Plain JSON. */
export interface IdReadsReport {
  readonly reads: number;
  readonly p50Us: number | undefined;
  readonly p99Us: number | undefined;
}

const readsMax = 2000;
/** Expected records held in memory at a time, in bytes: one of them may be larger. */
const heldBytesMax = 16 * 1024 * 1024;

export async function checkReadsById(
  log: Aof,
  random: Random,
  { files, inputPath, records, clock, signal, progress }: Workspace,
): Promise<{ report: IdReadsReport; check: Check }> {
  const findings: Finding[] = [];
  const timesUs: number[] = [];
  const wanted = sampleIds(records, readsMax, random);
  const sent = await RecordFile.open(files, inputPath, 1);
  try {
    let nextId = 1;
    for (let from = 0; from < wanted.length; ) {
      signal.throwIfAborted();
      const held = new Map<number, Uint8Array | undefined>();
      for (let bytes = 0; from < wanted.length && bytes < heldBytesMax; from++) {
        const id = wanted[from] as number;
        // A copy: a view would hold the whole block that it was read in.
        const record = (await recordAt(sent, nextId, id))?.slice();
        nextId = id + 1;
        bytes += record?.length ?? 0;
        held.set(id, record);
      }
      for (const id of shuffled([...held.keys()], random)) {
        const beganUs = clock.monotonicUs();
        const found = await log.get(id);
        timesUs.push(clock.monotonicUs() - beganUs);
        const finding = compareRead(id, held.get(id), found);
        if (finding !== undefined) findings.push(finding);
      }
      progress(`reading by id: ${timesUs.length} of ${wanted.length}`);
    }
  } finally {
    await sent[Symbol.asyncDispose]();
  }
  // The record after the last one is not there either.
  const beyond = compareRead(records + 1, undefined, await log.get(records + 1));
  if (beyond !== undefined) findings.push(beyond);

  timesUs.sort((a, b) => a - b);
  return {
    check: check("byId", timesUs.length + 1, "reads", findings),
    report: { reads: timesUs.length, p50Us: at(timesUs, 0.5), p99Us: at(timesUs, 0.99) },
  };
}

/** @param expected undefined for an id that has no record */
export function compareRead(
  id: number,
  expected: Uint8Array | undefined,
  found: { readonly id: number; readonly payload: Uint8Array } | undefined,
): Finding | undefined {
  const isSame =
    expected === undefined
      ? found === undefined
      : found !== undefined && found.id === id && Buffer.compare(found.payload, expected) === 0;
  if (isSame) return undefined;
  return {
    where: "reading by id",
    id,
    expected: expected === undefined ? "no record" : excerpt(expected),
    got: found === undefined ? "no record" : `record ${found.id}: ${excerpt(found.payload)}`,
  };
}

/** Distinct ids in 1..records, rising: `count` of them, or all when there are not more. */
export function sampleIds(records: number, count: number, random: Random): number[] {
  if (records <= count) return Array.from({ length: records }, (_, index) => index + 1);
  const ids = new Set<number>();
  while (ids.size < count) ids.add(1 + random.int(records));
  return [...ids].sort((a, b) => a - b);
}

function shuffled(ids: number[], random: Random): number[] {
  for (let i = ids.length - 1; i > 0; i--) {
    const j = random.int(i + 1);
    [ids[i], ids[j]] = [ids[j] as number, ids[i] as number];
  }
  return ids;
}

/** The record `id` of a file that stands at `nextId`. */
async function recordAt(sent: RecordFile, nextId: number, id: number): Promise<Uint8Array | undefined> {
  for (let left = id - nextId; left > 0; ) {
    const skipped = await sent.take(left);
    if (skipped.length === 0) return undefined;
    left -= skipped.length;
  }
  return (await sent.take(1))[0];
}

function at(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
