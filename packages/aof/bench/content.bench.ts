/**
 * What do compression and encryption cost a record, on the way in and on the way out? Run: `node bench/content.bench.ts`.
 * Prints one row per size and kind: the lower quartile of interleaved rounds, because other processes only make it slower.
 */
import { systemClock } from "@varve/fs-core";
import { ContentEncoder } from "../src/content/content-encoder.ts";
import { decodeBody } from "../src/content/record-body.ts";
import { LogKeys } from "../src/keys/log-keys.ts";

const sizes = [64, 1024, 16_384];
const rounds = 15;
const roundUs = 20_000;

const segment = { baseId: 1, epoch: 1, saltLow: 1, saltHigh: 2 };
const timestampUs = 1_700_000_000_000_000;
const keys = new LogKeys("0".repeat(32));
keys.adopt(
  [{ generation: 1, keyId: "bench", wrapped: new Uint8Array(1), checkValue: new Uint8Array(16) }],
  new Map([[1, new Uint8Array(32).fill(7)]]),
);

const kinds: readonly { readonly name: string; readonly level?: number; readonly encrypted?: boolean }[] = [
  { name: "as it is" },
  { name: "AES-256-GCM", encrypted: true },
  { name: "zstd 1", level: 1 },
  { name: "zstd 3", level: 3 },
  { name: "zstd 3, AES-256-GCM", level: 3, encrypted: true },
];

/** Events as a service logs them: repeated names, changing values. */
function payloadOf(size: number): Uint8Array {
  let text = "";
  for (let n = 0; text.length < size; n++) {
    const order = ((n + 1) * 2_654_435_761) % 2 ** 32;
    text += `{"type":"order.paid","order":"${order.toString(16)}","amount":${order % 100_000},"currency":"EUR"}\n`;
  }
  return Buffer.from(text.slice(0, size));
}

/** Nanoseconds a call, over some 20 ms. */
function timed(call: () => unknown): number {
  const begin = systemClock.monotonicUs();
  let calls = 0;
  let elapsedUs = 0;
  for (; elapsedUs < roundUs; elapsedUs = systemClock.monotonicUs() - begin) {
    for (let index = 0; index < 32; index++) call();
    calls += 32;
  }
  return (elapsedUs * 1000) / calls;
}

function quartile(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 4)] as number;
}

console.log("bytes    kind                   stored    write ns     read ns");
for (const size of sizes) {
  const payload = payloadOf(size);
  const contenders = kinds.map(({ name, level, encrypted }) => {
    const compression = level === undefined ? undefined : { level, minBytes: 0 };
    const encoder = new ContentEncoder(compression, encrypted === true ? keys : undefined, segment.epoch);
    let id = 0;
    const write = (): Uint8Array => {
      id++;
      const plan = encoder.plan(payload, {}, timestampUs);
      return encoder.encode(plan, segment, id, timestampUs, plan.flags);
    };
    const { flags, codecBits } = encoder.plan(payload, {}, timestampUs);
    const body = write();
    const record = { id, timestampUs, flags, codecBits };
    const read = (): Uint8Array =>
      decodeBody(body, record, segment, (generation) => keys.dataKey(segment, generation)).payload;
    if (Buffer.compare(read(), payload) !== 0) throw new Error(`${name}, ${size} bytes: it does not come back`);
    return { name, stored: body.length, write, read, writes: [] as number[], reads: [] as number[] };
  });
  for (let round = 0; round < rounds; round++) {
    for (const { write, read, writes, reads } of contenders) {
      writes.push(timed(write));
      reads.push(timed(read));
    }
  }
  for (const { name, stored, writes, reads } of contenders) {
    const columns = [
      String(size).padEnd(8),
      name.padEnd(22),
      String(stored).padStart(6),
      quartile(writes).toFixed(0).padStart(11),
      quartile(reads).toFixed(0).padStart(11),
    ];
    console.log(columns.join(" "));
  }
}
