// A path that lies must be caught by the others; a path that refuses makes the answer a refusal, never a crash.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Aof, AofError, type AofRecord } from "@varve/aof";
import { SeededRandom } from "@varve/fs-core/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CheckableLog, checkLog } from "./check-log.ts";
import { buildPayload, contractId } from "./record-identity.ts";

const dir = mkdtempSync(join(tmpdir(), "varve-check-log-"));
const random = new SeededRandom(7);
let log: Aof;

beforeAll(async () => {
  log = await Aof.open({ dir, flushStrategy: { kind: "sync" }, segmentSizeBytes: 4096, indexKind: "file" });
  for (let serial = 0; serial < 60; serial++) {
    log.append(buildPayload({ run: "a".repeat(16), serial, index: 0, size: 1 }, random.int(300), random));
  }
});
afterAll(async () => {
  await log.close();
  rmSync(dir, { recursive: true, force: true });
});

/** The real log with some of its paths replaced. */
function lying(lies: Partial<CheckableLog>): CheckableLog {
  return {
    firstId: log.firstId,
    lastId: log.lastId,
    getSync: (id) => log.getSync(id),
    read: (options) => log.read(options),
    readBatches: (options) => log.readBatches(options),
    ...lies,
  };
}

const otherBytes = (record: AofRecord | undefined): AofRecord | undefined =>
  record === undefined ? undefined : { ...record, payload: Uint8Array.of(1, 2, 3) };
const damaged = (): never => {
  throw new AofError("CORRUPTED_RECORD", "made up");
};

describe("checkLog", () => {
  it("gives every record in order", async () => {
    const { ids, records, error } = await checkLog(log, new SeededRandom(1));
    expect(error).toBeUndefined();
    expect(records).toBe(60);
    expect(ids).toEqual(
      Array.from({ length: 60 }, (_, k) => contractId(k + 1, log.getSync(k + 1)?.payload as Uint8Array)),
    );
  });

  it.each<[string, Partial<CheckableLog>, string]>([
    ["wrong bytes by id", { getSync: (id) => otherBytes(log.getSync(id)) }, "another path"],
    [
      "one record's bytes wrong",
      { getSync: (id) => (id === 33 ? otherBytes(log.getSync(id)) : log.getSync(id)) },
      "another path",
    ],
    ["the neighbour of a record", { getSync: (id) => log.getSync(id === 20 ? 21 : id) }, "gave record 21"],
    ["no record", { getSync: (id) => (id === 20 ? undefined : log.getSync(id)) }, "knows no record 20"],
    ["a record after the end", { lastId: 59 }, "after the last"],
    ["a scan that stops early", { read: (options) => log.read({ limit: 59, ...options }) }, "59 records"],
    [
      "a scan that skips the first",
      { read: (options) => log.read(options?.reverse === true ? { ...options, until: 2 } : options) },
      "59 records",
    ],
    ["batches that stop early", { readBatches: () => log.readBatches({ until: 40 }) }, "readBatches saw 40"],
    [
      "a reverse scan that goes forwards",
      { read: (options) => log.read(options?.reverse === true ? {} : options) },
      "from 1 to 2",
    ],
    [
      "a look-up by time that is one off",
      { read: (options) => log.read(typeof options?.from === "object" ? { from: 60 } : options) },
      "begins at 60",
    ],
  ])("catches %s", async (_, lies, sentence) => {
    await expect(checkLog(lying(lies), new SeededRandom(1))).rejects.toThrow(sentence);
  });

  it.each<[string, Partial<CheckableLog>]>([
    ["read", { read: damaged }],
    ["readBatches", { readBatches: damaged }],
    ["getSync", { getSync: (id) => (id === 7 ? damaged() : log.getSync(id)) }],
  ])("answers with the typed error of %s", async (_, lies) => {
    const { error } = await checkLog(lying(lies), new SeededRandom(1));
    expect(error?.code).toBe("CORRUPTED_RECORD");
  });

  it("does not take an error without a code for a refusal", async () => {
    const broken = lying({
      getSync: () => {
        throw new RangeError("a defect");
      },
    });
    await expect(checkLog(broken, new SeededRandom(1))).rejects.toThrow(RangeError);
  });
});
