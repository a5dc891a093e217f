// Goal: no key, and nothing that was encrypted, gets out by what a program prints: errors, inspection, JSON, settings,
// reports, metrics, files.
// Method: keys are made of text that nothing else has; everything reachable is printed in every way and searched for it.
import { inspect } from "node:util";
import { MemoryFileSystem } from "@varve/fs-core";
import { expect, test } from "vitest";
import { Aof, type KeyProvider, localKeyRing, openReadOnly, rewrapKeys, verifyLog } from "../../src/index.ts";
import { bytesOf, canary, forgeChecksum, overwrite, recordsOf, ringOf, testKey } from "../support/keyed-log.ts";

const settings = {
  dir: "log",
  segmentSizeBytes: 8192,
  bufferBytes: 65536,
  indexKind: "memory",
  flushStrategy: { kind: "sync" },
} as const;
const secretText = "TOP-SECRET-CONTENT";

/** Everything that must not be seen: text, and as the hexadecimal, base64 or decimal bytes that printing makes of it. */
function formsOf(secret: string | Uint8Array): string[] {
  const bytes = Buffer.from(secret as Uint8Array);
  // Base64 of the middle, aligned to what precedes it in either of three ways.
  const base64 = [0, 1, 2].map((skip) => bytes.subarray(skip, skip + 12).toString("base64"));
  const some = [...bytes.subarray(0, 6)];
  return [
    bytes.toString("latin1").slice(0, 10),
    bytes.subarray(0, 8).toString("hex"),
    some.map((byte) => byte.toString(16).padStart(2, "0")).join(" "),
    some.join(","),
    some.join(", "),
    ...base64,
  ];
}

class Printed {
  readonly #forms: string[] = [];
  searched = 0;

  forbid(secret: string | Uint8Array): void {
    this.#forms.push(...formsOf(secret));
  }

  /** Prints `value` in every way and looks for what is forbidden. */
  check(label: string, value: unknown): void {
    const texts = [
      inspect(value, { depth: 12, showHidden: true, getters: true, maxArrayLength: null, maxStringLength: null }),
      String(value),
      json(value),
    ];
    if (value instanceof Error) texts.push(value.stack ?? "", value.message, inspect(value.cause, { depth: 12 }));
    for (const text of texts) {
      this.searched += text.length;
      for (const form of this.#forms) expect(text.includes(form), `${label} shows ${form}`).toBe(false);
    }
  }
}

function json(value: unknown): string {
  const seen = new Set<unknown>();
  return (
    JSON.stringify(value, (_, one: unknown) => {
      if (typeof one === "bigint") return String(one);
      if (typeof one !== "object" || one === null) return one;
      if (seen.has(one)) return "seen";
      seen.add(one);
      return one;
    }) ?? ""
  );
}

/** The ring, and every key that passed through it. */
function spyingRing(ring: KeyProvider, passed: Uint8Array[]): KeyProvider {
  return {
    wrap(key, ...rest) {
      passed.push(Uint8Array.from(key));
      return ring.wrap(key, ...rest);
    },
    async unwrap(...call) {
      const key = await ring.unwrap(...call);
      passed.push(Uint8Array.from(key));
      return key;
    },
  };
}

async function failureOf(work: Promise<unknown> | (() => unknown)): Promise<unknown> {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    return error;
  }
  throw new Error("it should have failed");
}

test("the search itself finds a key in whatever form it is printed", () => {
  const printed = new Printed();
  printed.forbid(testKey("one"));
  const key = testKey("one");
  for (const leak of [key, { deep: { key } }, [...key], Buffer.from(key).toString("base64"), new Error(canary)]) {
    expect(() => printed.check("leak", leak), inspect(leak)).toThrow(/shows/);
  }
});

test("nothing that a log, its readers, its reports or its errors print holds a key or an encrypted byte", async () => {
  const printed = new Printed();
  printed.forbid(canary);
  printed.forbid(testKey("one"));
  printed.forbid(secretText);
  const passed: Uint8Array[] = [];
  const fs = new MemoryFileSystem();
  const ring = ringOf("one");
  const parts = { fileSystem: fs, keyProvider: spyingRing(ring, passed) };
  const log = await Aof.open({ ...settings, encryption: true, compression: true }, parts);
  log.append(Buffer.from(secretText), { headers: { secret: secretText }, ttlMs: 60_000 });
  log.append(Buffer.from(secretText));
  await log.rewrapKeys({ newDataKey: true });
  log.append(Buffer.from(secretText));
  const reader = await openReadOnly({ dir: "log" }, parts);
  expect(Buffer.from(log.getSync(1)?.payload as Uint8Array).toString()).toBe(secretText);
  expect(passed.length).toBeGreaterThan(2);
  for (const key of passed) printed.forbid(key);

  printed.check("ring", ring);
  printed.check("log", log);
  printed.check("reader", reader);
  printed.check("options", log.options);
  printed.check("recovery", log.recovery);
  printed.check("metrics", log.performanceMetrics());
  printed.check("health", log.health());
  printed.check("segments", log.segments());
  printed.check("rewrap report", await log.rewrapKeys());
  printed.check("iterator", log.read());
  await reader.close();
  await log.close();
  printed.check("closed log", log);
  printed.check("verify report", await verifyLog({ dir: "log" }, {}, { fileSystem: fs }));
  for (const { name, kind } of await fs.list("log")) {
    if (kind !== "file") continue;
    const bytes = Buffer.from(await bytesOf(fs, `log/${name}`));
    for (const key of [...passed, testKey("one"), Buffer.from(secretText)]) {
      expect(bytes.includes(Buffer.from(key.subarray(0, 8))), name).toBe(false);
    }
  }

  // Every way in which keys can fail.
  const other = localKeyRing({ keys: { one: Buffer.from(`${canary}${"!".repeat(14)}`) }, current: "one" });
  const talkative: KeyProvider = {
    wrap: ring.wrap.bind(ring),
    unwrap: () => Promise.reject(new TypeError("the provider's own words")),
  };
  printed.check("wrong key", await failureOf(Aof.open(settings, { fileSystem: fs, keyProvider: other })));
  printed.check("no key", await failureOf(Aof.open(settings, { fileSystem: fs, keyProvider: ringOf("two") })));
  printed.check("no provider", await failureOf(Aof.open(settings, { fileSystem: fs })));
  const rejected = await failureOf(Aof.open(settings, { fileSystem: fs, keyProvider: talkative }));
  printed.check("rejecting provider", rejected);
  expect((rejected as Error).message).not.toContain("own words");
  printed.check("rewrap", await failureOf(rewrapKeys({ dir: "log" }, { fileSystem: fs, keyProvider: other })));
  const badRings: Parameters<typeof localKeyRing>[0][] = [
    { keys: { one: `${canary}` }, current: "one" },
    { keys: { one: Buffer.from(canary) }, current: "one" },
    { keys: { one: `${canary} is no base64`.padEnd(44, "=") }, current: "one" },
    { keys: { one: testKey("one") }, current: "two" },
    { keys: canary as unknown as Record<string, string>, current: "one" },
    { keys: Buffer.from(testKey("one")).toString("base64") as unknown as Record<string, string>, current: "one" },
    { keys: testKey("one") as unknown as Record<string, string>, current: "one" },
  ];
  for (const bad of badRings) printed.check("bad ring", await failureOf(() => localKeyRing(bad)));
  const swapped = [
    { ...settings, encryption: testKey("one") },
    { ...settings, encryption: canary },
    { ...settings, encryption: Buffer.from(testKey("one")).toString("base64") },
    { ...settings, keyProvider: ring },
    { ...settings, key: testKey("one") },
  ];
  for (const wrong of swapped) {
    printed.check("bad settings", await failureOf(Aof.open(wrong as unknown as typeof settings, parts)));
  }

  // A record that does not authenticate, and one that is damaged.
  const path = "log/segment_00000000000000000001.log";
  const segment = await bytesOf(fs, path);
  const [first] = recordsOf(segment, 1);
  if (first === undefined) throw new Error("there is a record");
  for (const at of [32, 45, 32 + first.size - 1]) {
    const changed = segment.slice();
    changed[first.offset + at] = (changed[first.offset + at] as number) ^ 1;
    forgeChecksum(changed, first);
    await overwrite(fs, path, changed);
    const again = await Aof.open(settings, parts);
    printed.check("tampered", await failureOf(() => again.getSync(1)));
    printed.check("tampered", await failureOf(again.get(1)));
    await again.close();
    await overwrite(fs, path, segment);
  }
  expect(printed.searched).toBeGreaterThan(50_000);
});
