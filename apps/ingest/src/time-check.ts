/** Reads by time: flights of 2001 in a log of their own, under the time they took off, looked up by ranges of time. */
import { join } from "node:path";
import { Aof, type AofRecord } from "@varve/aof";
import { type Random } from "@varve/fs-core";
import { type Check, check, excerpt, type Finding } from "./checks.ts";
import { type DatedRecord, readDatedFlights } from "./dataset.ts";
import type { Workspace } from "./workspace.ts";

/** For the report. Plain JSON. */
export interface TimeReadsReport {
  readonly records: number;
  readonly ranges: number;
  /** Records that those ranges returned. */
  readonly returned: number;
  readonly firstTimestampUs: number;
  readonly lastTimestampUs: number;
  /** Of looking up and reading one range. */
  readonly p50Us: number;
}

/** Both ends are included, as in `ReadOptions`. */
export interface TimeRange {
  readonly fromUs: number;
  readonly untilUs: number;
}

const rangesCount = 300;
const flushEvery = 1000;
const minuteUs = 60e6;

/** @param workspace its `dir` gets the log, as `by-time` */
export async function checkReadsByTime(
  random: Random,
  workspace: Workspace,
): Promise<{ report: TimeReadsReport; check: Check }> {
  const { clock, signal, progress } = workspace;
  progress("appending dated flights");
  const flights = await readDatedFlights(signal);
  // Small segments: ranges begin in one and end in another.
  const log = await Aof.open({ dir: join(workspace.dir, "by-time"), segmentSizeBytes: 256 * 1024 });
  try {
    for (const [index, { timestampUs, record }] of flights.entries()) {
      log.append(record, { timestampUs });
      if ((index + 1) % flushEvery === 0) await log.flush({ signal });
    }
    await log.flush({ signal });

    const findings: Finding[] = [];
    const timesUs: number[] = [];
    let returned = 0;
    for (const [index, range] of timeRanges(flights, random).entries()) {
      signal.throwIfAborted();
      const reverse = index % 4 === 3;
      const beganUs = clock.monotonicUs();
      const got = await readRange(log, range, reverse);
      timesUs.push(clock.monotonicUs() - beganUs);
      returned += got.length;
      findings.push(...compareRange(range, expectedRange(flights, range), got));
      progress(`reading by time: ${index + 1} ranges`);
    }
    timesUs.sort((a, b) => a - b);
    return {
      check: check("byTime", timesUs.length, "ranges", findings),
      report: {
        records: flights.length,
        ranges: timesUs.length,
        returned,
        firstTimestampUs: flights[0]?.timestampUs ?? 0,
        lastTimestampUs: flights.at(-1)?.timestampUs ?? 0,
        p50Us: timesUs[timesUs.length >>> 1] ?? 0,
      },
    };
  } finally {
    await log.close();
  }
}

/** Records of a range, oldest first, whichever way they were read. */
async function readRange(log: Aof, { fromUs, untilUs }: TimeRange, reverse: boolean): Promise<AofRecord[]> {
  // `from` in reverse is the first record *not older* than its time, exclusive: one microsecond on is inclusive.
  const reader = reverse
    ? log.read({ from: { timestampUs: untilUs + 1 }, until: { timestampUs: fromUs }, reverse })
    : log.read({ from: { timestampUs: fromUs }, until: { timestampUs: untilUs } });
  const records: AofRecord[] = [];
  for await (const record of reader) records.push(record);
  return reverse ? records.reverse() : records;
}

/** Ranges that must be right whatever the data: around its ends, between records, of no length, and random ones. */
export function timeRanges(flights: readonly DatedRecord[], random: Random): TimeRange[] {
  const first = flights[0]?.timestampUs ?? 0;
  const last = flights.at(-1)?.timestampUs ?? 0;
  const ranges: TimeRange[] = [
    { fromUs: 0, untilUs: first - 1 },
    { fromUs: 0, untilUs: first },
    { fromUs: first, untilUs: last },
    { fromUs: last, untilUs: last + minuteUs },
    { fromUs: last + 1, untilUs: last + minuteUs },
    { fromUs: first + 1, untilUs: first + 1 },
    { fromUs: last, untilUs: first },
  ];
  while (ranges.length < rangesCount) {
    const flight = flights[random.int(Math.max(1, flights.length))]?.timestampUs ?? 0;
    // Three kinds in turn: exactly one minute, from a record to some hours later, anywhere for up to two days.
    const kind = ranges.length % 3;
    const fromUs = kind === 2 ? first + random.int(Math.max(1, last - first)) : flight;
    const lengthUs = kind === 0 ? 0 : random.int(kind === 1 ? 6 * 60 * minuteUs : 48 * 60 * minuteUs);
    ranges.push({ fromUs, untilUs: fromUs + lengthUs });
  }
  return ranges;
}

/** The ids of the records in a range, by looking at each one. */
export function expectedRange(
  flights: readonly DatedRecord[],
  { fromUs, untilUs }: TimeRange,
): ReadonlyMap<number, DatedRecord> {
  const expected = new Map<number, DatedRecord>();
  for (let index = 0; index < flights.length; index++) {
    const flight = flights[index] as DatedRecord;
    if (flight.timestampUs >= fromUs && flight.timestampUs <= untilUs) expected.set(index + 1, flight);
  }
  return expected;
}

/** The first difference between what a range must return, in order, and what it returned; none when they are the same. */
export function compareRange(
  range: TimeRange,
  expected: ReadonlyMap<number, DatedRecord>,
  got: readonly AofRecord[],
): Finding[] {
  const where = `reading from ${timeText(range.fromUs)} until ${timeText(range.untilUs)}`;
  let index = 0;
  for (const [id, flight] of expected) {
    const found = got[index++];
    const isSame =
      found !== undefined &&
      found.id === id &&
      found.timestampUs === flight.timestampUs &&
      Buffer.compare(found.payload, flight.record) === 0;
    if (!isSame)
      return [{ where, id, expected: describe(id, flight.timestampUs, flight.record), got: describeFound(found) }];
  }
  const surplus = got[index];
  return surplus === undefined
    ? []
    : [{ where, id: surplus.id, expected: "no more records", got: describeFound(surplus) }];
}

function describeFound(found: AofRecord | undefined): string {
  return found === undefined ? "no more records" : describe(found.id, found.timestampUs, found.payload);
}

function describe(id: number, timestampUs: number, record: Uint8Array): string {
  return `record ${id} of ${timeText(timestampUs)}: ${excerpt(record)}`;
}

function timeText(us: number): string {
  return new Date(Math.floor(us / 1000)).toISOString();
}
