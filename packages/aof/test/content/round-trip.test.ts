// Goal: what a record was appended with is what every way of reading gives back, in any combination, and nothing of it
// is on disk when it is encrypted.
// Method: one log per combination of settings takes every combination of options; each read path is compared with an array.
import { MemoryFileSystem } from "@varve/fs-core";
import { ManualClock } from "@varve/fs-core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Aof,
  type AofParts,
  type AofRecord,
  type AofSettings,
  openReadOnly,
  type ReadOnlyLog,
} from "../../src/index.ts";
import { Aof as Log } from "../../src/index.ts";
import { bytesOf, ringOf } from "../support/keyed-log.ts";

const settings = {
  dir: "log",
  segmentSizeBytes: 6 * 1024 * 1024,
  bufferBytes: 65536,
  indexKind: "memory",
  flushStrategy: { kind: "sync" },
} as const satisfies AofSettings;

/** Before every expiry in these tests. */
const clock = new ManualClock({ wallUs: 1000 });

interface Expected {
  readonly payload: Uint8Array;
  readonly headers?: Record<string, string>;
  readonly timestampUs: number;
  readonly expiresAtUs?: number;
}

const marker = "PLAIN-TEXT-MARKER";

function payloads(): Uint8Array[] {
  const noise = new Uint8Array(700);
  for (let index = 0; index < noise.length; index++) noise[index] = (index * index * 31 + index * 7) >>> 3;
  const large = Buffer.alloc(1_500_000, `${marker} large, compressible `);
  return [new Uint8Array(0), Buffer.from(marker), Buffer.alloc(900, `${marker} `), noise, large];
}

const allHeaders: (Record<string, string> | undefined)[] = [
  undefined,
  JSON.parse(
    '{"__proto__":"own","constructor":"c","ключ":"значение ✓","empty":"","trace":"PLAIN-TEXT-MARKER"}',
  ) as Record<string, string>,
];

/** Appends every combination, one by one and in batches. */
function fill(log: Aof): Expected[] {
  const expected: Expected[] = [];
  let timestampUs = 1_000_000;
  for (const payload of payloads()) {
    for (const headers of allHeaders) {
      for (const ttlMs of [undefined, 60_000]) {
        timestampUs += 1000;
        const options = { ...(headers && { headers }), ...(ttlMs && { ttlMs }) };
        const expiry = ttlMs === undefined ? {} : { expiresAtUs: timestampUs + ttlMs * 1000 };
        log.append(payload, { timestampUs, ...options });
        expected.push({ payload, timestampUs, ...(headers && { headers }), ...expiry });
        const { lastId } = log.appendBatch(
          [payload.subarray(0, 50), { payload: payload.subarray(0, 1000), ...options }],
          { timestampUs, headers: { of: "batch" } },
        );
        expect(lastId).toBe(expected.length + 2);
        expected.push({ payload: payload.subarray(0, 50), timestampUs, headers: { of: "batch" } });
        expected.push({
          payload: payload.subarray(0, 1000),
          timestampUs,
          headers: headers ?? { of: "batch" },
          ...expiry,
        });
      }
    }
  }
  return expected;
}

function check(record: AofRecord | undefined, id: number, expected: readonly Expected[]): void {
  const want = expected[id - 1] as Expected;
  expect(record?.id).toBe(id);
  if (record === undefined) return;
  expect(Buffer.compare(record.payload, want.payload), `payload of ${id}`).toBe(0);
  expect(Object.entries(record.headers ?? {}), `headers of ${id}`).toEqual(Object.entries(want.headers ?? {}));
  expect("headers" in record).toBe(want.headers !== undefined);
  expect(record.expiresAtUs, `expiry of ${id}`).toBe(want.expiresAtUs);
  expect(record.timestampUs).toBe(want.timestampUs);
}

async function checkAll(log: Aof | ReadOnlyLog, expected: readonly Expected[]): Promise<void> {
  for (let id = 1; id <= expected.length; id++) {
    check(log.getSync(id), id, expected);
    check(await log.get(id), id, expected);
  }
  let next = 1;
  for await (const record of log.read()) check(record, next++, expected);
  expect(next).toBe(expected.length + 1);
  for await (const record of log.read({ reverse: true })) check(record, --next, expected);
  expect(next).toBe(1);
  for await (const batch of log.readBatches({ from: 2, until: expected.length - 1 })) {
    for (const [index, record] of [...batch].entries()) {
      check(record, batch.firstId + index, expected);
      check(batch.record(index), batch.firstId + index, expected);
      expect(batch.payload(index)).toEqual(record.payload);
      expect(batch.headers(index)).toEqual(record.headers);
      expect(batch.expiresAtUs(index)).toBe(record.expiresAtUs);
    }
    const tail = batch.slice(Math.floor(batch.count / 2), batch.count);
    for (const record of tail) check(record, record.id, expected);
  }
  // By time: a look-up decodes nothing.
  const middle = expected[Math.floor(expected.length / 2)] as Expected;
  for await (const record of log.read({ from: { timestampUs: middle.timestampUs }, limit: 1 })) {
    check(record, expected.findIndex(({ timestampUs }) => timestampUs === middle.timestampUs) + 1, expected);
  }
}

describe.each([
  { compression: false, encryption: false },
  { compression: true, encryption: false },
  { compression: { level: 1, minBytes: 0 }, encryption: false },
  { compression: false, encryption: true },
  { compression: true, encryption: true },
] as const)("with compression $compression and encryption $encryption", (choice) => {
  test("every read path gives back what was appended", { timeout: 60_000 }, async () => {
    const fs = new MemoryFileSystem();
    const parts: AofParts = {
      fileSystem: fs,
      clock,
      ...(choice.encryption && { keyProvider: ringOf("one") }),
    };
    const log = await Log.open({ ...settings, ...choice }, parts);
    const follower = await openReadOnly({ dir: "log" }, parts);
    const following = (async () => {
      const found: AofRecord[] = [];
      for await (const record of follower.read({ follow: true, limit: 60 })) found.push(record);
      return found;
    })();
    const expected = fill(log);
    expect(expected.length).toBe(60);
    await checkAll(log, expected);
    for (const [index, record] of (await following).entries()) check(record, index + 1, expected);
    await follower.refresh();
    await checkAll(follower, expected);
    await follower.close();
    await log.close();
    const again = await Log.open(settings, parts);
    await checkAll(again, expected);
    const active = again.append(Buffer.from(marker));
    expect(Buffer.compare((await again.get(active))?.payload ?? noBytes, Buffer.from(marker))).toBe(0);
    await again.close();

    let onDisk = false;
    let bytes = 0;
    for (const { name } of await fs.list("log")) {
      if (!name.endsWith(".log")) continue;
      const content = Buffer.from(await bytesOf(fs, `log/${name}`));
      bytes += content.length;
      onDisk ||= content.includes(marker);
    }
    // Short records are never compressed under the default, so their text is there unless they are encrypted.
    expect(onDisk).toBe(!choice.encryption);
    const raw = expected.reduce((sum, { payload }) => sum + payload.length, 0);
    if (choice.compression === false) expect(bytes).toBeGreaterThan(raw);
    else expect(bytes).toBeLessThan(raw / 20);
  });
});

const noBytes = new Uint8Array(0);

test("any records in any order come back, across reopens with other settings", { timeout: 60_000 }, async () => {
  const record = fc.record({
    size: fc.integer({ min: 0, max: 1500 }),
    compressible: fc.boolean(),
    headers: fc.option(
      fc.dictionary(
        fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }),
        fc.string({ unit: "grapheme", maxLength: 60 }),
        { maxKeys: 5 },
      ),
      { nil: undefined },
    ),
    ttlMs: fc.option(fc.integer({ min: 1, max: 2 ** 30 }), { nil: undefined }),
  });
  const session = fc.record({
    compression: fc.constantFrom(false, true, { minBytes: 0, level: 1 }),
    encryption: fc.constantFrom(undefined, true, false),
    groups: fc.array(fc.array(record, { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(session, { minLength: 1, maxLength: 4 }), async (sessions) => {
      const parts = { fileSystem: new MemoryFileSystem(), clock, keyProvider: ringOf("one") };
      const expected: Expected[] = [];
      for (const { compression, encryption, groups } of sessions) {
        const log = await Log.open(
          { ...settings, segmentSizeBytes: 16384, compression, ...(encryption !== undefined && { encryption }) },
          parts,
        );
        for (const group of groups) {
          const timestampUs = 5000 + expected.length;
          const batch = group.map(({ size, compressible, headers, ttlMs }) => {
            const payload = Uint8Array.from({ length: size }, (_, index) =>
              compressible ? index % 7 : (index * 2654435761) >>> 13,
            );
            const some = headers !== undefined && Object.keys(headers).length > 0;
            expected.push({
              payload,
              timestampUs,
              ...(some && { headers }),
              ...(ttlMs && { expiresAtUs: timestampUs + ttlMs * 1000 }),
            });
            return { payload, ...(headers && { headers }), ...(ttlMs && { ttlMs }) };
          });
          log.appendBatch(batch, { timestampUs });
        }
        let id = 0;
        for await (const one of log.read()) check(one, ++id, expected);
        expect(id).toBe(expected.length);
        await log.close();
      }
    }),
    { numRuns: 60 },
  );
});

test("a batch of highly compressed records ends early, and none is lost", async () => {
  const fs = new MemoryFileSystem();
  const log = await Log.open({ ...settings, compression: true }, { fileSystem: fs, clock });
  const payload = Buffer.alloc(1_000_000, "zip ");
  for (let id = 1; id <= 40; id++) log.append(payload);
  for (const reverse of [false, true]) {
    let count = 0;
    let largest = 0;
    for await (const batch of log.readBatches({ reverse })) {
      count += batch.count;
      largest = Math.max(largest, batch.count);
    }
    expect(count).toBe(40);
    expect(largest).toBe(4);
  }
  await log.close();
});

test("what cannot be stored is refused before anything changes, all of it in one error", async () => {
  const log = await Log.open(settings, { fileSystem: new MemoryFileSystem(), clock });
  const refused: [Parameters<Aof["append"]>[1], RegExp][] = [
    [{ headers: { "": "x", ok: 7 as unknown as string }, ttlMs: 0 }, /ttlMs.*\n.*name is wrong.*\n.*value of "ok"/],
    [{ headers: { half: "\ud800" } }, /surrogate/],
    [{ headers: { ["n".repeat(256)]: "x" } }, /256 bytes/],
    [{ headers: { long: "x".repeat(65536) } }, /together/],
    [{ headers: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`h${index}`, ""])) }, /at most 64/],
    [{ headers: [] as unknown as Record<string, string> }, /want an object/],
    [{ ttlMs: 1.5 }, /ttlMs/],
    [{ ttlMs: 1, timestampUs: Number.MAX_SAFE_INTEGER }, /2\^53/],
  ];
  for (const [options, message] of refused) {
    const refusal = expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringMatching(message) });
    expect(() => log.append(noBytes, options)).toThrow(refusal);
    const { timestampUs, ...own } = options ?? {};
    const shared = timestampUs === undefined ? {} : { timestampUs };
    expect(() => log.appendBatch([noBytes, { payload: noBytes, ...own }], shared)).toThrow(refusal);
  }
  expect(() => log.appendBatch([{ payload: "text" as unknown as Uint8Array }])).toThrow(
    expect.objectContaining({ code: "INVALID_ARGUMENT" }),
  );
  expect(() => log.append(Buffer.alloc(settings.segmentSizeBytes - 96), { ttlMs: 1 })).toThrow(
    expect.objectContaining({ code: "SEGMENT_FULL" }),
  );
  expect(log.lastId).toBe(0);
  expect(log.append(noBytes, { headers: {} })).toBe(1);
  expect(log.getSync(1)).toEqual({ id: 1, timestampUs: expect.any(Number), payload: noBytes });
  await log.close();
});

test("the footer counts what expires", async () => {
  const fs = new MemoryFileSystem();
  const log = await Log.open(settings, { fileSystem: fs, clock });
  log.append(noBytes, { timestampUs: 1000, ttlMs: 7 });
  log.append(noBytes, { timestampUs: 1000, ttlMs: 3 });
  log.append(noBytes, { timestampUs: 1000 });
  await log.close();
  const segment = await bytesOf(fs, "log/segment_00000000000000000001.log");
  const footer = new DataView(segment.buffer, segment.length - 96);
  expect(footer.getUint32(80, true)).toBe(2);
  expect(footer.getBigUint64(72, true)).toBe(8000n);
});
