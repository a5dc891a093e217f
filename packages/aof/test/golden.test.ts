// Goal: files of every released version stay readable, and this version writes exactly the bytes it documents (G20).
// Method: logs written with a fixed clock and seed are compared with the files in golden/, byte for byte, and read back.
// A new format version gets a new directory; these files never change.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { MemoryFileSystem } from "@varve/fs-core";
import { ManualClock, SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import { Aof, openReadOnly } from "../src/index.ts";
import { payloadOf } from "./support/log-harness.ts";

const golden = fileURLToPath(new URL("golden/v1/", import.meta.url));
const settings = {
  dir: "log",
  segmentSizeBytes: 4096,
  indexKind: "memory",
  flushStrategy: { kind: "sync" },
  preAllocateEnabled: false,
} as const;
const count = 50;

async function bytesOf(fs: MemoryFileSystem): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const { name } of await fs.list("log")) {
    const handle = await fs.openFile(`log/${name}`);
    files.set(name, (await handle.readAll()).slice());
    await handle.close();
  }
  return files;
}

/** A log of 50 records with a batch in it, as a clean close and as a kill leave it. */
async function write(): Promise<{ closed: Map<string, Uint8Array>; killed: Map<string, Uint8Array> }> {
  const fs = new MemoryFileSystem();
  const clock = new ManualClock({ wallUs: 1_700_000_000_000_000 });
  const log = await Aof.open(settings, { fileSystem: fs, clock, random: new SeededRandom(1) });
  for (let id = 1; id <= count; id++) {
    if (id === 20) {
      log.appendBatch([20, 21, 22].map((one) => payloadOf("golden", one)));
      id = 22;
    } else log.append(payloadOf("golden", id));
    clock.setWallUs(1_700_000_000_000_000 + id * 1000);
  }
  // Segments are sealed in the background.
  await expect.poll(() => log.segments().filter(({ status }) => status === "sealing").length).toBe(0);
  const killed = await bytesOf(fs);
  await log.close();
  return { closed: await bytesOf(fs), killed };
}

describe.each(["closed", "killed"] as const)("version 1, %s", (state) => {
  const directory = `${golden}${state}/`;

  test("is written byte for byte", async () => {
    const files = (await write())[state];
    if (process.env["VARVE_WRITE_GOLDEN"] === "1") {
      mkdirSync(directory, { recursive: true });
      for (const [name, bytes] of files) writeFileSync(directory + name, bytes);
    }
    expect([...files.keys()]).toEqual(readdirSync(directory).sort());
    for (const [name, bytes] of files) expect(Buffer.compare(bytes, readFileSync(directory + name)), name).toBe(0);
  });

  test("is read, for writing and read-only", async () => {
    const fs = new MemoryFileSystem();
    await fs.mkdir("log");
    for (const name of readdirSync(directory)) {
      const handle = await fs.createFile(`log/${name}`);
      await handle.writeAt(0, readFileSync(directory + name));
      await handle.close();
    }
    const other = await openReadOnly({ dir: "log" }, { fileSystem: fs });
    const log = await Aof.open(settings, { fileSystem: fs });
    expect(log.recovery).toMatchObject({
      outcome: state === "closed" ? "clean" : "recovered",
      lastId: count,
      tornTail: undefined,
    });
    for (const source of [other, log]) {
      let id = 0;
      for await (const record of source.read()) {
        id++;
        expect(record.id).toBe(id);
        expect(Buffer.compare(record.payload, payloadOf("golden", id))).toBe(0);
      }
      expect(id).toBe(count);
    }
    await other.close();
    await log.close();
  });
});
