// Goal: whatever bytes stand in a body, decoding gives back what was encoded or a typed refusal: no wrong content, no other
// error, no memory or time beyond what the record says it is worth.
// Method: round trips of generated content; then the same bytes changed, cut, padded and made up, and frames that lie
// about their size, with the checksums and tags made right where there are any.
import { createSecretKey } from "node:crypto";
import { constants, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeAttributes, encodeAttributes, type RecordAttributes } from "../../src/content/attributes.ts";
import { BodyProblem } from "../../src/content/body-problem.ts";
import { compress, decompress } from "../../src/content/compression.ts";
import { decodeBody, encodeBody, planBody, type RecordContent } from "../../src/content/record-body.ts";

const seed = Number(process.env["VARVE_SEED"] ?? 20261121);
const runs = process.env["VARVE_FULL"] === "1" ? 20_000 : 1000;
const once = { seed, numRuns: runs };

const segment = { baseId: 1, epoch: 3, saltLow: 5, saltHigh: -7 };
const key = createSecretKey(new Uint8Array(32).fill(9));
const facts = { id: 12, timestampUs: 1_700_000_000_000_000 };

const text = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ minLength, maxLength, unit: fc.constantFrom("a", "é", "✓", "𝒳", "\0", "__proto__") });
const attributes = fc.record(
  {
    headers: fc.dictionary(text(1, 12), text(0, 40), { minKeys: 1, maxKeys: 8 }),
    dedupe: fc.record({ key: text(1, 20), count: fc.integer({ min: 1, max: 2 ** 32 - 1 }) }),
  },
  { requiredKeys: [] },
);
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 300 }))
    .map(([bytes, times]) =>
      Uint8Array.from({ length: bytes.length * times }, (_, index) => bytes[index % bytes.length] as number),
    ),
);
/** One change to some bytes. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant("flip"), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("cut"), at: fc.nat(), bit: fc.constant(0) }),
  fc.record({ kind: fc.constant("pad"), at: fc.nat(20), bit: fc.constant(0) }),
);

function damaged(bytes: Uint8Array, { kind, at, bit }: { kind: string; at: number; bit: number }): Uint8Array {
  if (kind === "pad") return Uint8Array.from([...bytes, ...new Uint8Array(at + 1)]);
  if (bytes.length === 0) return bytes;
  if (kind === "cut") return bytes.slice(0, at % bytes.length);
  const changed = bytes.slice();
  changed[at % bytes.length] = (changed[at % bytes.length] as number) ^ (1 << bit);
  return changed;
}

/** What `decode` gives; undefined for a typed refusal with one of `codes`. */
function orRefused<T>(decode: () => T, ...codes: string[]): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof BodyProblem)) throw error;
    expect(codes, error.message).toContain(error.code);
    return undefined;
  }
}

function encoded(attrs: { headers?: Record<string, string>; dedupe?: { key: string; count: number } }): {
  block: Uint8Array | undefined;
  expected: RecordAttributes;
} {
  const problems: string[] = [];
  const block = encodeAttributes(attrs.headers, attrs.dedupe?.key, problems, attrs.dedupe?.count);
  expect(problems).toEqual([]);
  return {
    block,
    expected: {
      ...(attrs.headers && { headers: attrs.headers }),
      ...(attrs.dedupe && { dedupeKey: attrs.dedupe.key }),
      ...(attrs.dedupe && attrs.dedupe.count > 1 && { dedupeCount: attrs.dedupe.count }),
    },
  };
}

function assertSame(found: RecordAttributes, expected: RecordAttributes): void {
  expect(new Map(Object.entries(found.headers ?? {}))).toEqual(new Map(Object.entries(expected.headers ?? {})));
  expect(found.dedupeKey).toBe(expected.dedupeKey);
  expect(found.dedupeCount).toBe(expected.dedupeCount);
}

test(`attributes come back, and damaged ones decode to attributes or are refused, seed ${seed}`, () => {
  fc.assert(
    fc.property(attributes, fc.array(damage, { maxLength: 3 }), (given, wounds) => {
      const { block, expected } = encoded(given);
      if (block === undefined) return;
      assertSame(decodeAttributes(block), expected);
      const found = orRefused(
        () => decodeAttributes(wounds.reduce(damaged, block)),
        "CORRUPTED_RECORD",
        "FORMAT_TOO_NEW",
      );
      // Whatever it was read as can be written, and is then read the same.
      if (found === undefined) return;
      const again = encodeAttributes(found.headers, found.dedupeKey, [], found.dedupeCount);
      if (again !== undefined) assertSame(decodeAttributes(again), found);
    }),
    once,
  );
});

test(`made-up bytes are attributes or refused, seed ${seed}`, () => {
  const entry = fc
    .tuple(fc.integer({ min: 0, max: 5 }), fc.uint8Array({ maxLength: 12 }), fc.integer({ min: -2, max: 2 }))
    .map(([tag, content, lie]) => [tag, Math.max(0, content.length + (lie === 2 ? 1 : 0)), 0, ...content]);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 }), fc.array(entry, { maxLength: 5 }), (version, entries) => {
      const block = Uint8Array.from([version, ...entries.flat()]);
      const found = orRefused(() => decodeAttributes(block), "CORRUPTED_RECORD", "FORMAT_TOO_NEW");
      if (version !== 1) expect(found).toBeUndefined();
      if (found?.headers !== undefined) expect(Object.getPrototypeOf(found.headers)).toBeNull();
    }),
    once,
  );
});

const bodies = fc.record({
  payload,
  attrs: attributes,
  expiresAtUs: fc.constantFrom(0, 1, facts.timestampUs, Number.MAX_SAFE_INTEGER),
  isCompressed: fc.boolean(),
  isEncrypted: fc.boolean(),
});

test(`bodies come back; damaged ones are refused by tag or frame checksum, or still decode to something typed, seed ${seed}`, () => {
  fc.assert(
    fc.property(bodies, fc.array(damage, { minLength: 1, maxLength: 2 }), (given, wounds) => {
      const { block, expected } = encoded(given.attrs);
      const compression = given.isCompressed ? { level: 1, minBytes: 0 } : undefined;
      const plan = planBody(given.payload, block, given.expiresAtUs, compression, given.isEncrypted ? 1 : 0);
      const body = encodeBody(
        plan,
        given.isEncrypted ? key : undefined,
        segment,
        facts.id,
        facts.timestampUs,
        plan.flags,
      );
      expect(body.length).toBe(plan.size);
      const record = { ...facts, flags: plan.flags, codecBits: plan.codecBits };
      const decode = (bytes: Uint8Array): RecordContent => decodeBody(bytes, record, segment, () => key);
      const content = decode(body);
      expect(Buffer.compare(content.payload, given.payload)).toBe(0);
      expect(content.payload.buffer).not.toBe(body.buffer);
      expect(content.expiresAtUs).toBe(given.expiresAtUs === 0 ? undefined : given.expiresAtUs);
      assertSame(content, expected);

      const wounded = wounds.reduce(damaged, body);
      if (Buffer.compare(wounded, body) === 0) return;
      const found = orRefused(() => decode(wounded), "CORRUPTED_RECORD", "FORMAT_TOO_NEW", "TAMPERED_RECORD");
      if (given.isEncrypted) expect(found).toBeUndefined();
      // The frame's own checksum vouches for what came out of it.
      if ((plan.flags & 1) !== 0 && found !== undefined) {
        expect(Buffer.compare(found.payload, given.payload)).toBe(0);
        assertSame(found, expected);
      }
    }),
    once,
  );
});

test(`anything at all as a body of any flags is decoded or refused, seed ${seed}`, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 63 }), (body, flags) => {
      const before = body.slice();
      orRefused(
        () => decodeBody(body, { ...facts, flags, codecBits: 0x0111 }, segment, () => key),
        "CORRUPTED_RECORD",
        "FORMAT_TOO_NEW",
        "TAMPERED_RECORD",
      );
      expect(Buffer.compare(body, before)).toBe(0);
    }),
    once,
  );
});

test(`compression gives back what it took, and never makes it larger, seed ${seed}`, () => {
  fc.assert(
    fc.property(payload, fc.integer({ min: 1, max: 19 }), fc.integer({ min: 0, max: 500 }), (raw, level, minBytes) => {
      const body = compress(raw, { level, minBytes });
      if (body === undefined) return;
      expect(raw.length).toBeGreaterThanOrEqual(minBytes);
      expect(body.length).toBeLessThan(raw.length);
      expect(Buffer.compare(decompress(body), raw)).toBe(0);
      for (let length = 0; length < body.length; length++) {
        expect(orRefused(() => decompress(body.subarray(0, length)), "CORRUPTED_RECORD")).toBeUndefined();
      }
    }),
    { ...once, numRuns: runs / 10 },
  );
});

/** A frame of zeroes behind a size that may be a lie. */
function bomb(claimed: number, realBytes: number, pledges: boolean): Uint8Array {
  const frame = zstdCompressSync(new Uint8Array(realBytes), {
    params: { [constants.ZSTD_c_checksumFlag]: 1 },
    ...(pledges && { pledgedSrcSize: realBytes }),
  });
  const body = new Uint8Array(4 + frame.length);
  new DataView(body.buffer).setUint32(0, claimed, true);
  body.set(frame, 4);
  return body;
}

const MiB = 1024 * 1024;

test("a frame that lies about its size is refused, and costs no more memory than it says or than it holds", () => {
  const lies: [name: string, body: Uint8Array, boundBytes: number][] = [];
  for (const pledges of [true, false]) {
    lies.push(["200 MiB said to be 1 KiB", bomb(1024, 200 * MiB, pledges), 2 * MiB]);
    lies.push(["200 MiB said to be 1 byte", bomb(1, 200 * MiB, pledges), 2 * MiB]);
    lies.push(["1 KiB said to be 64 MiB", bomb(64 * MiB, 1024, pledges), 4 * MiB]);
    lies.push(["1 KiB said to be 4 GiB", bomb(2 ** 32 - 1, 1024, pledges), 1 * MiB]);
    lies.push(["1 KiB said to be nothing", bomb(0, 1024, pledges), 1 * MiB]);
    lies.push(["one byte more", bomb(1025, 1024, pledges), 1 * MiB]);
    lies.push(["one byte less", bomb(1023, 1024, pledges), 1 * MiB]);
  }
  for (const [name, body, boundBytes] of lies) {
    expect(body.length, name).toBeLessThan(64 * 1024);
    // Warm, so that what the decoder keeps for good is not counted.
    orRefused(() => decompress(body), "CORRUPTED_RECORD");
    const before = process.memoryUsage();
    const found = orRefused(() => decompress(body), "CORRUPTED_RECORD");
    const after = process.memoryUsage();
    expect(found, name).toBeUndefined();
    expect(after.arrayBuffers - before.arrayBuffers, name).toBeLessThan(boundBytes);
  }
});

test("frames with something behind them, two frames, and no frame are refused", () => {
  const whole = bomb(1000, 1000, true);
  const frame = whole.subarray(4);
  for (const body of [
    Uint8Array.from([...whole, 0]),
    Uint8Array.from([...whole, ...frame]),
    // A frame that readers skip.
    Uint8Array.from([...whole, 0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7]),
    Uint8Array.from([232, 3, 0, 0, 0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7]),
    whole.subarray(0, 4),
    new Uint8Array(0),
  ]) {
    expect(orRefused(() => decompress(body), "CORRUPTED_RECORD")).toBeUndefined();
  }
  expect(decompress(whole).length).toBe(1000);
});
