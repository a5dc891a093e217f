// Goal: no data key ever encrypts two contents under one nonce, whatever crashed in between and although the log's random
// part gives the same salts again and again.
// Method: every byte handed to the file system is looked at before it gets there; over many cycles of open, append, crash
// (or fail, or close) each (base id, salt, epoch, generation, record id) may have one cipher text only.
import { crc64Nvme, type FileSystem, foldTo32, type Random } from "@varve/fs-core";
import {
  CrashableFileSystem,
  crashModels,
  type CrashModel,
  FaultPlan,
  FaultyFileSystem,
  type FileInterceptor,
  type FileOperation,
  InterceptedFileSystem,
  SeededRandom,
} from "@varve/fs-core/testing";
import { expect, test } from "vitest";
import { Aof, type AofSettings, isAofError } from "../../src/index.ts";
import { bytesOf, ringOf } from "../support/keyed-log.ts";

const seed = Number(process.env["VARVE_SEED"] ?? 20261121);
const cycles = process.env["VARVE_FULL"] === "1" ? 600 : 90;

const settings = {
  dir: "log",
  segmentSizeBytes: 4096,
  bufferBytes: 65536,
  indexKind: "memory",
  encryption: true,
  compression: { level: 1, minBytes: 0 },
} as const satisfies AofSettings;

/** Every cipher text that was ever written, by key and nonce. */
class CipherTexts {
  readonly #seen = new Map<string, string>();
  /** Cipher texts by record id. */
  readonly #contents = new Map<bigint, Set<string>>();
  /** Epochs by salt. */
  readonly #epochs = new Map<bigint, Set<number>>();
  readonly reused: string[] = [];

  note(segment: Uint8Array): void {
    const view = new DataView(segment.buffer, segment.byteOffset, segment.length);
    if (segment.length < 96 || Buffer.from(segment.subarray(0, 8)).toString("latin1") !== "VARVESEG") return;
    const epoch = view.getUint32(12, true);
    const baseId = view.getBigUint64(16, true);
    const salt = view.getBigUint64(32, true);
    for (let offset = 64; offset + 32 <= segment.length; ) {
      const size = view.getUint32(offset + 4, true);
      if (offset + 32 + size > segment.length) return;
      const covered = segment.subarray(offset + 4, offset + 32 + size);
      if (foldTo32(crc64Nvme(covered, salt)) !== view.getUint32(offset, true)) return;
      const flags = segment[offset + 25] as number;
      const id = view.getBigUint64(offset + 8, true);
      if ((flags & 2) !== 0) {
        const place = `${baseId} ${salt} ${epoch} ${segment[offset + 27]} ${id}`;
        const text = Buffer.from(segment.subarray(offset + 32, offset + 32 + size)).toString("base64");
        const before = this.#seen.get(place);
        if (before === undefined) this.#add(place, text, id, salt, epoch);
        else if (before !== text) this.reused.push(place);
      }
      offset += 32 + size + (-size & 7);
    }
  }

  #add(place: string, text: string, id: bigint, salt: bigint, epoch: number): void {
    this.#seen.set(place, text);
    this.#contents.set(id, (this.#contents.get(id) ?? new Set()).add(text));
    this.#epochs.set(salt, (this.#epochs.get(salt) ?? new Set()).add(epoch));
  }

  get count(): number {
    return this.#seen.size;
  }

  /** Ids that were given to one record, lost, and given to another. */
  get rewritten(): number {
    return [...this.#contents.values()].filter(({ size }) => size > 1).length;
  }

  /** Salts that more than one writer used. */
  get repeatedSalts(): number {
    return [...this.#epochs.values()].filter(({ size }) => size > 1).length;
  }
}

/** The worst that can come: every salt is the same. */
const stuckRandom: Random = { next: () => 0.5, int: () => 0, u64: () => 7n, fill: (bytes) => bytes.fill(7) };

/** Keeps a copy of every segment as the writes so far make it, and has it looked at after each write. */
class WriteWatch implements FileInterceptor {
  readonly #texts: CipherTexts;
  readonly #files = new Map<string, Uint8Array>();
  isOn = true;

  constructor(texts: CipherTexts) {
    this.#texts = texts;
  }

  async adopt(fs: FileSystem): Promise<void> {
    for (const { name, kind } of await fs.list("log").catch(() => [])) {
      if (kind === "file") this.#files.set(`log/${name}`, await bytesOf(fs, `log/${name}`));
    }
  }

  around<T>(operation: FileOperation, call: () => Promise<T>): Promise<T> {
    this.#look(operation);
    return call();
  }

  aroundSync<T>(operation: FileOperation, call: () => T): T {
    this.#look(operation);
    return call();
  }

  #look({ name, path, to, write }: FileOperation): void {
    if (!this.isOn) return;
    const before = this.#files.get(path) ?? new Uint8Array(0);
    if (name === "createFile") this.#files.set(path, new Uint8Array(0));
    if (name === "rename" && to !== undefined) {
      this.#files.set(to, before);
      this.#files.delete(path);
    }
    if (write === undefined) return;
    const after = new Uint8Array(Math.max(before.length, write.position + write.data.length));
    after.set(before);
    after.set(write.data, write.position);
    this.#files.set(path, after);
    this.#texts.note(after);
  }
}

const strategies: Record<string, AofSettings["flushStrategy"]> = {
  sync: { kind: "sync" },
  pool: { kind: "batched", batchSize: 3 },
  async: { kind: "async", maxPendingBytes: 2000 },
};

/** Appends what only this cycle can have, until the end, a crash or a fault. */
async function cycle(fs: FileSystem, more: Partial<AofSettings>, label: string, random: SeededRandom): Promise<void> {
  let log: Aof | undefined;
  try {
    log = await Aof.open({ ...settings, ...more }, { fileSystem: fs, random: stuckRandom, keyProvider: ringOf("one") });
    const payload = (size: number): Uint8Array => Buffer.from(`${label} ${log?.nextId} `.padEnd(size, label));
    for (let round = 0; round < 8; round++) {
      log.append(payload(random.int(300)));
      log.appendBatch([payload(10), payload(random.int(500)), payload(0)], { headers: { cycle: label } });
      if (round === 4 && random.int(4) === 0) await log.rewrapKeys({ newDataKey: random.int(2) === 0 });
      if (random.int(3) === 0) await log.flush();
    }
    await log.close();
  } catch (error) {
    if (!isAofError(error)) throw error;
    await log?.close().catch(() => {});
  }
}

test.each(Object.entries(strategies))(
  `one cipher text for each key and nonce: %s, seed ${seed}`,
  {
    timeout: 120_000,
  },
  async (_name, flushStrategy) => {
    const random = new SeededRandom(seed);
    const texts = new CipherTexts();
    let disk = new CrashableFileSystem();
    // How many ids a cycle appends anew depends on how far the pool has come: as many cycles as it takes to see enough of them.
    const isEnough = (round: number): boolean => round >= cycles && texts.rewritten > cycles / 10;
    for (let round = 0; !isEnough(round) && round < cycles * 10; round++) {
      const watch = new WriteWatch(texts);
      await watch.adopt(disk);
      const plan = new FaultPlan();
      if (random.int(4) === 0) {
        const errno = random.int(2) === 0 ? "ENOSPC" : "EIO";
        plan.add({ operation: "writeAt", nth: 1 + random.int(12), fault: { kind: "shortWrite", bytes: 40, errno } });
      }
      let survivor: CrashableFileSystem | undefined;
      const crashAt = disk.operations + (random.int(5) === 0 ? Number.MAX_SAFE_INTEGER : random.int(130));
      const model = crashModels[random.int(crashModels.length)] as CrashModel;
      const stop = disk.onOperation(({ index, phase }) => {
        if (phase !== "before" || index < crashAt || survivor !== undefined) return;
        survivor = disk.crashClone({ model, random: new SeededRandom(seed + round) });
        watch.isOn = false;
      });
      const fs = new InterceptedFileSystem(new FaultyFileSystem(disk, plan), watch);
      await cycle(fs, { ...(flushStrategy && { flushStrategy }) }, `cycle-${round}`, random);
      stop();
      // What the crashed process went on to do never was.
      disk = survivor ?? disk;
      expect(texts.reused, `seed ${seed}, cycle ${round}`).toEqual([]);
    }
    // It would have been noticed: ids were appended again, and salts came again, only never both under one epoch.
    expect(texts.count).toBeGreaterThan(cycles * 5);
    expect(texts.rewritten).toBeGreaterThan(cycles / 10);
    expect(texts.repeatedSalts).toBeGreaterThan(0);
    const last = await Aof.open(settings, { fileSystem: disk, keyProvider: ringOf("one") });
    for await (const { payload } of last.read()) expect(Buffer.from(payload).toString()).toMatch(/^cycle-\d+ \d+ /);
    await last.close();
  },
);
