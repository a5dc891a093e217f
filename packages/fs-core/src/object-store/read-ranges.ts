/** `getRanges`: few requests, one version. */
import { assertBegins } from "./answer-checks.ts";
import type { DriverBody, DriverInfo, ObjectStoreDriver } from "./object-driver.ts";
import type { ByteRange, GetRangesOptions } from "./object-store.ts";
import { groupRanges, type RangeGroup } from "./range-groups.ts";
import { inParallel } from "./in-parallel.ts";
import type { StoreCall } from "./store-call.ts";
import { isStoreError, StoreError } from "./store-error.ts";
import { refuse } from "./write-request.ts";

/** Reads one group whole. */
export type ReadGroup = (
  range: ByteRange,
  ifMatch: string | undefined,
) => Promise<{ info: DriverInfo; bytes: Uint8Array }>;

const gapBytesDefault = 64 * 1024;
/** How often a reader begins again because the object was replaced while it read. */
const restartsMax = 5;

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkRanges(ranges: readonly ByteRange[], { gapBytes, ifMatch }: GetRangesOptions): void {
  if (!Array.isArray(ranges)) refuse("getRanges", ["ranges: want an array"]);
  const problems: string[] = [];
  for (const [index, range] of ranges.entries()) {
    const { offset = Number.NaN, length = Number.NaN } = Object(range) as Partial<ByteRange>;
    if (!isSize(offset) || !isSize(length) || !isSize(offset + length)) {
      problems.push(`ranges[${index}]: want whole numbers offset and length of at least 0`);
    }
  }
  if (gapBytes !== undefined && !isSize(gapBytes)) problems.push("gapBytes: want a whole number of at least 0");
  if (ifMatch !== undefined && (typeof ifMatch !== "string" || ifMatch === ""))
    problems.push("ifMatch: want a version");
  refuse("getRanges", problems);
}

/** The ranges' bytes, each an array of its own memory or a view of what a group shares. */
export async function readRanges(
  ranges: readonly ByteRange[],
  options: GetRangesOptions,
  concurrency: number,
  read: ReadGroup,
): Promise<Uint8Array[]> {
  const groups = groupRanges(ranges, options.gapBytes ?? gapBytesDefault);
  for (let restart = 0; ; restart++) {
    try {
      return await readOnce(ranges, groups, options.ifMatch, concurrency, read);
    } catch (error) {
      const wasReplaced = isStoreError(error) && error.code === "VERSION_MISMATCH" && options.ifMatch === undefined;
      if (!wasReplaced || restart === restartsMax) throw error;
    }
  }
}

async function readOnce(
  ranges: readonly ByteRange[],
  groups: readonly RangeGroup[],
  ifMatch: string | undefined,
  concurrency: number,
  read: ReadGroup,
): Promise<Uint8Array[]> {
  const results: Uint8Array[] = ranges.map(() => new Uint8Array(0));
  const [first, ...others] = groups;
  if (first === undefined) return results;
  const place = ({ offset, members }: RangeGroup, bytes: Uint8Array): void => {
    for (const index of members) {
      const range = ranges[index] as ByteRange;
      const from = range.offset - offset;
      results[index] = bytes.subarray(from, from + range.length);
    }
  };
  const { info, bytes } = await read(first, ifMatch);
  place(first, bytes);
  await inParallel(others, concurrency, async (group) => place(group, (await read(group, info.version)).bytes));
  return results;
}

/** One group, whole. @throws StoreError `INVALID_RANGE` when the object ends before it does */
export async function readGroup(
  driver: ObjectStoreDriver,
  call: StoreCall,
  key: string,
  range: ByteRange,
  ifMatch: string | undefined,
): Promise<{ readonly info: DriverInfo; readonly bytes: Uint8Array }> {
  return call.request("get", async (driverCall, progress) => {
    const { offset, length } = range;
    const request = { range: { offset, length }, ...(ifMatch === undefined ? {} : { ifMatch }) };
    const body = await driver.get(key, request, driverCall);
    // What is wrong here ends the request, and with it the answer.
    assertBegins(body, request);
    if (body.range.length < length) await refuseShort(body, key, range);
    const bytes = new Uint8Array(length);
    let got = 0;
    for await (const chunk of body.chunks) {
      if (got + chunk.byteLength > length) throw new StoreError("UNAVAILABLE", "more bytes than were asked for");
      bytes.set(chunk, got);
      got += chunk.byteLength;
      progress();
    }
    if (got < length) throw new StoreError("UNAVAILABLE", `the answer broke off after ${got} of ${length} bytes`);
    return { info: body.info, bytes };
  });
}

async function refuseShort(body: DriverBody, key: string, { offset, length }: ByteRange): Promise<never> {
  await body.chunks[Symbol.asyncIterator]().return?.();
  throw new StoreError(
    "INVALID_RANGE",
    `bytes ${offset} to ${offset + length} were asked for; the object has ${body.info.size}`,
    { key, operation: "get" },
  );
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
