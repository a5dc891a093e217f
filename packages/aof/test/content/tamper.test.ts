// Goal: whoever has the disk but no key changes no encrypted record unnoticed, and each way in which a key can be missing
// has an error of its own that leaves the disk as it was.
// Method: every bit of a segment's records is flipped, the record's checksum made right again, and every read path asked;
// every bit of KEYS is flipped; logs are opened with other keys, without keys, without KEYS.
import { MemoryFileSystem } from "@varve/fs-core";
import { ManualClock, SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import {
  Aof,
  type AofErrorCode,
  type AofParts,
  type AofRecord,
  type AofSettings,
  isAofError,
  localKeyRing,
  openReadOnly,
  rewrapKeys,
} from "../../src/index.ts";
import { bytesOf, forgeChecksum, overwrite, recordsOf, type RecordPlace, ringOf } from "../support/keyed-log.ts";

const settings = {
  dir: "log",
  segmentSizeBytes: 8192,
  bufferBytes: 65536,
  indexKind: "memory",
  flushStrategy: { kind: "sync" },
  blockCacheBytes: 0,
  readAheadBytes: 0,
} as const satisfies AofSettings;
const segmentPath = "log/segment_00000000000000000001.log";
const utf8 = new TextEncoder();

/** Before every expiry, whichever bit of it is flipped. */
function partsOf(fileSystem: MemoryFileSystem, keyProvider?: AofParts["keyProvider"]): AofParts {
  return {
    fileSystem,
    clock: new ManualClock({ wallUs: 1000 }),
    random: new SeededRandom(1),
    ...(keyProvider && { keyProvider }),
  };
}

/** Seven records in a sealed segment, one of each kind. */
async function writeLog(fs: MemoryFileSystem): Promise<void> {
  const log = await Aof.open(
    { ...settings, encryption: true, compression: { level: 3, minBytes: 64 } },
    partsOf(fs, ringOf("one")),
  );
  const long = utf8.encode("compressible ".repeat(12));
  const headers = { kind: "paid" };
  log.append(utf8.encode("short"), { timestampUs: 5000 });
  log.append(new Uint8Array(0), { timestampUs: 5000 });
  log.append(long, { timestampUs: 6000, headers, ttlMs: 60_000 });
  log.appendBatch([utf8.encode("a"), { payload: long, headers }], { timestampUs: 7000 });
  log.append(utf8.encode("expires"), { timestampUs: 8000, ttlMs: 60_000 });
  log.append(long, { timestampUs: 9000 });
  await log.close();
}
const count = 7;

async function firstOf<T>(all: AsyncIterable<T>): Promise<T | undefined> {
  for await (const one of all) return one;
  return undefined;
}

/** What each way of reading says of record `id`: the record, or the code of its refusal. */
async function readings(log: Aof, id: number): Promise<(AofRecord | AofErrorCode | undefined)[]> {
  const one = { from: id, until: id };
  const ways: (() => Promise<AofRecord | undefined>)[] = [
    async () => log.getSync(id),
    () => log.get(id),
    () => firstOf(log.read(one)),
    () => firstOf(log.read({ from: id, limit: 1, reverse: true })),
    async () => (await firstOf(log.readBatches(one)))?.record(0),
  ];
  const answers: (AofRecord | AofErrorCode | undefined)[] = [];
  for (const way of ways) {
    try {
      answers.push(await way());
    } catch (error) {
      if (!isAofError(error)) throw error;
      expect(error.segmentId, error.message).toBe(1);
      answers.push(error.code);
    }
  }
  return answers;
}

/** What the flip of a bit, with the checksum made right, must lead to. `same`: the bit says nothing about the content. */
function verdictOf(record: RecordPlace, bit: number, hasExpiry: boolean): readonly (AofErrorCode | "same")[] {
  const byte = bit >>> 3;
  if (byte < 4) return ["same"]; // made right again
  if (byte < 8) return ["CORRUPTED_RECORD", "TAMPERED_RECORD"]; // size: within the padding only the tag tells
  if (byte < 16) return ["CORRUPTED_RECORD"]; // id
  if (byte < 24) return byte === 22 || byte === 23 ? ["TAMPERED_RECORD", "CORRUPTED_RECORD"] : ["TAMPERED_RECORD"]; // time
  if (byte === 24) return ["FORMAT_TOO_NEW"]; // version
  if (byte === 25) {
    const flag = 1 << (bit & 7);
    if (flag === 4 || flag === 32) return ["TAMPERED_RECORD"]; // batch, attributes
    if (flag === 16) return ["TAMPERED_RECORD", "CORRUPTED_RECORD"]; // expires: eight bytes of the content, or none
    return ["FORMAT_TOO_NEW"]; // a combination that nobody writes, "lost" included
  }
  if (byte === 26) return ["FORMAT_TOO_NEW"]; // codec and cipher
  if (byte === 27) return (bit & 7) === 0 ? ["FORMAT_TOO_NEW"] : ["CORRUPTED_KEYS"]; // generation 0, or one not in KEYS
  if (byte < 32) return ["same"]; // durable distance
  if (hasExpiry && byte < 40) return ["TAMPERED_RECORD", "CORRUPTED_RECORD"];
  return byte < 32 + record.size ? ["TAMPERED_RECORD"] : ["same"]; // padding
}

test("any bit of any record flipped, its checksum forged: a typed refusal on every way of reading", {
  timeout: 120_000,
}, async () => {
  const fs = new MemoryFileSystem();
  await writeLog(fs);
  const log = await Aof.open(settings, partsOf(fs, ringOf("one")));
  const original = await bytesOf(fs, segmentPath);
  const records = recordsOf(original, count);
  const expected = records.map((_, index) => log.getSync(index + 1) as AofRecord);
  const disk = await fs.openFileMut(segmentPath);
  const seen = new Map<string, number>();
  for (const [index, record] of records.entries()) {
    const id = index + 1;
    const paddedBytes = 32 + record.size + (-record.size & 7);
    for (let bit = 0; bit < paddedBytes * 8; bit++) {
      const changed = original.slice();
      const at = record.offset + (bit >>> 3);
      changed[at] = (changed[at] as number) ^ (1 << (bit & 7));
      // As long as it now says it is, if that fits.
      const claimed = new DataView(changed.buffer).getUint32(record.offset + 4, true);
      const fits = record.offset + 32 + claimed <= original.length;
      forgeChecksum(changed, { offset: record.offset, size: fits ? claimed : record.size });
      await disk.writeAt(record.offset, changed.subarray(record.offset, record.offset + paddedBytes));
      const verdict = verdictOf(record, bit, expected[index]?.expiresAtUs !== undefined);
      for (const answer of await readings(log, id)) {
        const label = `record ${id}, bit ${bit & 7} of byte ${bit >>> 3} of ${32 + record.size}`;
        if (typeof answer === "string") expect(verdict, label).toContain(answer);
        else {
          expect(verdict, label).toContain("same");
          expect(answer, label).toEqual(expected[index]);
        }
        const outcome = typeof answer === "string" ? answer : "same";
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      }
    }
    await disk.writeAt(record.offset, original.subarray(record.offset, record.offset + paddedBytes));
  }
  await disk.close();
  expect([...seen.keys()].sort()).toEqual([
    "CORRUPTED_KEYS",
    "CORRUPTED_RECORD",
    "FORMAT_TOO_NEW",
    "TAMPERED_RECORD",
    "same",
  ]);
  await log.close();
});

test("a record copied to another place, or from another log with the same keys, does not authenticate", async () => {
  const fs = new MemoryFileSystem();
  const parts = partsOf(fs, ringOf("one"));
  const log = await Aof.open({ ...settings, encryption: true }, parts);
  for (const text of ["to A", "to B"]) log.append(utf8.encode(text), { timestampUs: 5000 });
  await log.close();
  const segment = await bytesOf(fs, segmentPath);
  const [first, second] = recordsOf(segment, 2) as [RecordPlace, RecordPlace];
  // Everything of the second but its id, in place of the first.
  const id = segment.slice(first.offset + 8, first.offset + 16);
  segment.copyWithin(first.offset, second.offset, second.offset + 32 + second.size);
  segment.set(id, first.offset + 8);
  forgeChecksum(segment, first);
  await overwrite(fs, segmentPath, segment);
  const again = await Aof.open(settings, parts);
  expect(await readings(again, 1)).toEqual(Array.from({ length: 5 }, () => "TAMPERED_RECORD"));
  expect(again.getSync(2)?.payload).toEqual(utf8.encode("to B"));
  await again.close();
});

async function snapshot(fs: MemoryFileSystem): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const { name, kind } of await fs.list("log")) {
    if (kind === "file") files.set(name, Buffer.from(await bytesOf(fs, `log/${name}`)).toString("base64"));
  }
  return files;
}

/** Whatever opens a log refuses with `code`, and nothing on disk changes. */
async function assertRefused(fs: MemoryFileSystem, parts: AofParts, code: AofErrorCode): Promise<void> {
  const before = await snapshot(fs);
  await expect(Aof.open(settings, parts)).rejects.toMatchObject({ name: "AofError", code });
  await expect(Aof.open({ ...settings, recovery: "salvage" }, parts)).rejects.toMatchObject({ code });
  await expect(rewrapKeys({ dir: "log" }, parts)).rejects.toMatchObject({ name: "AofError", code });
  expect(await snapshot(fs)).toEqual(before);
}

describe("keys", () => {
  test("another key of the same name: WRONG_KEY", async () => {
    const fs = new MemoryFileSystem();
    await writeLog(fs);
    const other = localKeyRing({ keys: { one: new Uint8Array(32).fill(7) }, current: "one" });
    await assertRefused(fs, partsOf(fs, other), "WRONG_KEY");
    await expect(openReadOnly({ dir: "log" }, partsOf(fs, other))).rejects.toMatchObject({
      code: "WRONG_KEY",
      keyId: "one",
    });
  });

  test("a provider that opens something else: WRONG_KEY, told by the check value", async () => {
    const fs = new MemoryFileSystem();
    await writeLog(fs);
    const ring = ringOf("one");
    for (const answer of [new Uint8Array(32), new Uint8Array(31), "text" as unknown as Uint8Array]) {
      const lying: AofParts["keyProvider"] = { wrap: ring.wrap.bind(ring), unwrap: async () => answer };
      await assertRefused(fs, partsOf(fs, lying), "WRONG_KEY");
    }
  });

  test("a ring without the key: KEY_NOT_FOUND, which it names", async () => {
    const fs = new MemoryFileSystem();
    await writeLog(fs);
    await assertRefused(fs, partsOf(fs, ringOf("two")), "KEY_NOT_FOUND");
    await expect(openReadOnly({ dir: "log" }, partsOf(fs, ringOf("two")))).rejects.toMatchObject({
      code: "KEY_NOT_FOUND",
      keyId: "one",
    });
  });

  test("no provider: KEY_REQUIRED, which names the key", async () => {
    const fs = new MemoryFileSystem();
    await writeLog(fs);
    await assertRefused(fs, partsOf(fs), "KEY_REQUIRED");
    await expect(Aof.open(settings, partsOf(fs))).rejects.toMatchObject({ keyId: "one" });
  });

  test("encryption off and no provider: opens and appends in the clear, but does not read what is encrypted", async () => {
    const fs = new MemoryFileSystem();
    await writeLog(fs);
    const log = await Aof.open({ ...settings, encryption: false }, partsOf(fs));
    const id = log.append(utf8.encode("in the clear"));
    expect(await readings(log, 1)).toEqual(Array.from({ length: 5 }, () => "KEY_REQUIRED"));
    expect(log.getSync(id)?.payload).toEqual(utf8.encode("in the clear"));
    await log.close();
    const reader = await openReadOnly({ dir: "log" }, partsOf(fs));
    expect(() => reader.getSync(1)).toThrow(expect.objectContaining({ code: "KEY_REQUIRED" }));
    expect(reader.getSync(id)?.payload).toEqual(utf8.encode("in the clear"));
    await reader.close();
    const keyed = await Aof.open(settings, partsOf(fs, ringOf("one")));
    expect(keyed.getSync(1)?.payload).toEqual(utf8.encode("short"));
    expect(keyed.getSync(id)?.payload).toEqual(utf8.encode("in the clear"));
    await keyed.close();
  });

  test("KEYS missing, cut, or any bit of it flipped: CORRUPTED_KEYS", { timeout: 60_000 }, async () => {
    const fs = new MemoryFileSystem();
    await writeLog(fs);
    const parts = partsOf(fs, ringOf("one"));
    const keys = await bytesOf(fs, "log/KEYS");
    await fs.deleteFile("log/KEYS");
    await assertRefused(fs, parts, "CORRUPTED_KEYS");
    await assertRefused(fs, partsOf(fs), "CORRUPTED_KEYS");
    const handle = await fs.createFile("log/KEYS");
    await handle.close();
    for (let length = 0; length < keys.length; length += 7) {
      await overwrite(fs, "log/KEYS", keys.subarray(0, length));
      await assertRefused(fs, parts, "CORRUPTED_KEYS");
    }
    for (let bit = 0; bit < keys.length * 8; bit++) {
      const changed = keys.slice();
      changed[bit >>> 3] = (changed[bit >>> 3] as number) ^ (1 << (bit & 7));
      await overwrite(fs, "log/KEYS", changed);
      await expect(Aof.open(settings, parts), `bit ${bit}`).rejects.toMatchObject({ code: "CORRUPTED_KEYS" });
    }
    await overwrite(fs, "log/KEYS", keys);
    const log = await Aof.open(settings, parts);
    expect(log.getSync(1)?.payload).toEqual(utf8.encode("short"));
    await log.close();
  });

  test("KEYS of another log: CORRUPTED_KEYS", async () => {
    const fs = new MemoryFileSystem();
    await writeLog(fs);
    const other = new MemoryFileSystem();
    const parts = { ...partsOf(other, ringOf("one")), random: new SeededRandom(2) };
    await (await Aof.open({ ...settings, encryption: true }, parts)).close();
    await overwrite(fs, "log/KEYS", await bytesOf(other, "log/KEYS"));
    await assertRefused(fs, partsOf(fs, ringOf("one")), "CORRUPTED_KEYS");
  });
});
