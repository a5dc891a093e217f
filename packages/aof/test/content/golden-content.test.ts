// Goal: encrypted, compressed logs of every released version stay readable, and FORMAT.md says all that a reader needs (G20).
// Method: files that were written once, with a key that is known, are read with the log and with a decoder made here from
// FORMAT.md alone. Their keys are random, so they are not written again byte for byte; VARVE_WRITE_GOLDEN=1 writes new ones.
import { createDecipheriv, hkdfSync } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { zstdDecompressSync } from "node:zlib";
import { MemoryFileSystem } from "@varve/fs-core";
import { ManualClock, SeededRandom } from "@varve/fs-core/testing";
import { expect, test } from "vitest";
import { Aof, type AofRecord, openReadOnly } from "../../src/index.ts";
import { bytesOf, recordsOf, ringOf, testKey } from "../support/keyed-log.ts";

const directory = fileURLToPath(new URL("../golden/v1/sealed-content/", import.meta.url));
const beginUs = 1_700_000_000_000_000;
const settings = {
  dir: "log",
  segmentSizeBytes: 4096,
  indexKind: "memory",
  flushStrategy: { kind: "sync" },
  preAllocateEnabled: false,
} as const;
const count = 40;

function payloadOf(id: number): Uint8Array {
  return Buffer.from(id % 9 === 0 ? "" : `golden ${id} `.repeat(id % 4 === 0 ? 40 : 2));
}

/** What record `id` is appended with. */
function optionsOf(id: number): { headers?: Record<string, string>; ttlMs?: number; dedupeKey?: string } {
  return {
    ...(id % 3 === 0 && { headers: { id: String(id), "ключ ✓": "значение" } }),
    ...(id % 5 === 0 && { ttlMs: 1_000_000 + id }),
    ...(id % 7 === 0 && { dedupeKey: `key-${id}` }),
  };
}

function expectedRecord(id: number): AofRecord {
  const { headers, ttlMs, dedupeKey } = optionsOf(id);
  return {
    id,
    timestampUs: beginUs + id,
    payload: new Uint8Array(payloadOf(id)),
    ...(headers && { headers }),
    ...(ttlMs && { expiresAtUs: beginUs + id + ttlMs * 1000 }),
    ...(dedupeKey && { dedupeKey }),
  };
}

/** Keys of two generations, both wrapped with key two; the last records are in the clear. */
async function write(): Promise<Map<string, Uint8Array>> {
  const fs = new MemoryFileSystem();
  const parts = { fileSystem: fs, clock: new ManualClock({ wallUs: beginUs }), random: new SeededRandom(1) };
  const more = { compression: { level: 3, minBytes: 100 }, dedupeWindow: { maxRecords: 100 } };
  const log = await Aof.open({ ...settings, ...more, encryption: true }, { ...parts, keyProvider: ringOf("one") });
  for (let id = 1; id <= 20; id++) log.append(payloadOf(id), { timestampUs: beginUs + id, ...optionsOf(id) });
  await log.close();
  const keyProvider = ringOf("one", "two");
  const rewrapped = await Aof.open({ ...settings, ...more }, { ...parts, keyProvider });
  await rewrapped.rewrapKeys({ newDataKey: true });
  for (let id = 21; id <= 35; id++) rewrapped.append(payloadOf(id), { timestampUs: beginUs + id, ...optionsOf(id) });
  await rewrapped.close();
  const clear = await Aof.open({ ...settings, ...more, encryption: false }, { ...parts, keyProvider });
  for (let id = 36; id <= count; id++) clear.append(payloadOf(id), { timestampUs: beginUs + id, ...optionsOf(id) });
  await clear.close();
  const files = new Map<string, Uint8Array>();
  for (const { name, kind } of await fs.list("log")) {
    if (kind === "file") files.set(name, await bytesOf(fs, `log/${name}`));
  }
  return files;
}

if (process.env["VARVE_WRITE_GOLDEN"] === "1") {
  mkdirSync(directory, { recursive: true });
  for (const [name, bytes] of await write()) writeFileSync(directory + name, bytes);
}

test("the golden log is read, for writing and read-only, with key two alone", async () => {
  const fs = new MemoryFileSystem();
  await fs.mkdir("log");
  for (const name of readdirSync(directory)) {
    const handle = await fs.createFile(`log/${name}`);
    await handle.writeAt(0, readFileSync(directory + name));
    await handle.close();
  }
  const parts = { fileSystem: fs, clock: new ManualClock({ wallUs: beginUs }), keyProvider: ringOf("two") };
  const reader = await openReadOnly({ dir: "log" }, parts);
  const log = await Aof.open(settings, parts);
  expect(log.recovery).toMatchObject({ outcome: "clean", lastId: count });
  for (const source of [reader, log]) {
    let id = 0;
    for await (const record of source.read()) {
      id++;
      expect({ ...record, headers: { ...record.headers } }).toEqual({
        ...expectedRecord(id),
        headers: { ...expectedRecord(id).headers },
      });
      expect(source.getSync(id)).toEqual(record);
    }
    expect(id).toBe(count);
  }
  await reader.close();
  expect(log.append(payloadOf(1))).toBe(count + 1);
  await log.close();
});

const u64 = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** KEYS by FORMAT.md and the wrapping of `localKeyRing`: the log's keys by generation. */
function keysOf(bytes: Uint8Array, wrappingKey: Uint8Array): Map<number, Uint8Array> {
  const view = viewOf(bytes);
  const logId = Buffer.from(bytes.subarray(16, 32)).toString("hex");
  const keys = new Map<number, Uint8Array>();
  for (let index = 0, at = 48; index < view.getUint32(12, true); index++) {
    const generation = bytes[at] as number;
    const wrappedAt = at + 24 + view.getUint16(at + 2, true);
    const wrapped = bytes.subarray(wrappedAt, wrappedAt + view.getUint16(at + 4, true));
    expect(Buffer.from(bytes.subarray(at + 24, wrappedAt)).toString()).toBe("two");
    const decipher = createDecipheriv("aes-256-gcm", wrappingKey, wrapped.subarray(0, 12), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(`varve key ${logId} ${generation}`)).setAuthTag(wrapped.subarray(44));
    const key = Buffer.concat([decipher.update(wrapped.subarray(12, 44)), decipher.final()]);
    const check = hkdfSync("sha256", key, "", `varve check value 1 ${logId} ${generation}`, 16);
    expect(Buffer.from(check).equals(bytes.subarray(at + 8, at + 24))).toBe(true);
    keys.set(generation, key);
    at = wrappedAt + wrapped.length;
  }
  return keys;
}

/** A record's content by FORMAT.md alone. */
function decode(segment: Uint8Array, offset: number, size: number, keys: ReadonlyMap<number, Uint8Array>): AofRecord {
  const header = viewOf(segment.subarray(offset, offset + 32));
  const flags = header.getUint8(25);
  let body = segment.subarray(offset + 32, offset + 32 + size);
  const expiry = (flags & 16) === 0 ? new Uint8Array(8) : body.subarray(0, 8);
  if ((flags & 16) !== 0) body = body.subarray(8);
  if ((flags & 2) !== 0) {
    const key = keys.get(header.getUint8(27)) as Uint8Array;
    const [baseId, epoch, salt] = [segment.subarray(16, 24), segment.subarray(12, 16), segment.subarray(32, 40)];
    const info = Buffer.concat([Buffer.from("varve data key 1"), baseId, epoch, salt]);
    const dataKey = Buffer.from(hkdfSync("sha256", key, "", info, 32));
    const [bits, id, time] = [
      segment.subarray(offset + 26, offset + 28),
      segment.subarray(offset + 8, offset + 16),
      segment.subarray(offset + 16, offset + 24),
    ];
    const flagBytes = Uint8Array.of(flags, 0, 0, 0, 0, 0, 0, 0);
    const bound = Buffer.concat([Uint8Array.of(1, 0), bits, epoch, baseId, salt, id, time, flagBytes, expiry]);
    const nonce = Buffer.concat([id, new Uint8Array(4)]);
    const decipher = createDecipheriv("aes-256-gcm", dataKey, nonce, { authTagLength: 16 });
    decipher.setAAD(bound).setAuthTag(body.subarray(-16));
    body = Buffer.concat([decipher.update(body.subarray(0, -16)), decipher.final()]);
  }
  if ((flags & 1) !== 0) {
    const content = zstdDecompressSync(body.subarray(4));
    expect(content.length).toBe(viewOf(body).getUint32(0, true));
    body = content;
  }
  const headers: Record<string, string> = {};
  let dedupeKey: string | undefined;
  if ((flags & 32) !== 0) {
    const end = 4 + viewOf(body).getUint32(0, true);
    expect(body[4]).toBe(1);
    for (let at = 5; at < end; ) {
      const length = viewOf(body).getUint16(at + 1, true);
      const content = Buffer.from(body.subarray(at + 3, at + 3 + length));
      const nameEnd = 1 + (content[0] as number);
      if (body[at] === 1) headers[content.toString("utf8", 1, nameEnd)] = content.toString("utf8", nameEnd);
      else if (body[at] === 2) dedupeKey = content.toString();
      else throw new Error(`tag ${body[at]}`);
      at += 3 + length;
    }
    body = body.subarray(end);
  }
  return {
    id: u64(header, 8),
    timestampUs: u64(header, 16),
    payload: new Uint8Array(body),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...((flags & 16) !== 0 && { expiresAtUs: u64(viewOf(expiry), 0) }),
    ...(dedupeKey !== undefined && { dedupeKey }),
  };
}

test("what FORMAT.md says is enough to read it", () => {
  const names = readdirSync(directory);
  const keys = keysOf(readFileSync(`${directory}KEYS`), testKey("two"));
  expect([...keys.keys()]).toEqual([1, 2]);
  let id = 0;
  let flagsSeen = 0;
  for (const name of names.filter((one) => one.startsWith("segment_"))) {
    const segment = new Uint8Array(readFileSync(directory + name));
    const records = viewOf(segment).getUint32(segment.length - 96 + 8, true);
    for (const { offset, size } of recordsOf(segment, records)) {
      id++;
      flagsSeen |= segment[offset + 25] as number;
      expect(decode(segment, offset, size, keys), `record ${id}`).toEqual(expectedRecord(id));
    }
  }
  expect(id).toBe(count);
  expect(flagsSeen, "compressed, encrypted, expires, attributes").toBe(1 | 2 | 16 | 32);
});
