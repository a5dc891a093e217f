/** What the crash and fault tests share: payloads that name their id, and the oracle that judges a recovered log. */
import assert from "node:assert/strict";
import { type CrashableFileSystem, SeededRandom } from "@varve/fs-core/testing";
import type { FileSystem } from "@varve/fs-core";
import { Aof, type AofSettings } from "../../src/index.ts";

export const logSettings = {
  dir: "log",
  segmentSizeBytes: 4096,
  bufferBytes: 65536,
  indexKind: "memory",
} as const satisfies AofSettings;

/** Bytes that only record `id` of `run` can have; their lengths vary, empty included. */
export function payloadOf(run: string, id: number): Uint8Array {
  const text = `${run}:${id}:`;
  const length = id % 17 === 0 ? 0 : (id * 37) % 230;
  return length === 0
    ? new Uint8Array(0)
    : Buffer.from(text.padEnd(Math.max(length, text.length), String.fromCharCode(97 + (id % 26))));
}

export function openOn(fileSystem: FileSystem, settings: Partial<AofSettings> = {}, seed = 1): Promise<Aof> {
  return Aof.open({ ...logSettings, ...settings }, { fileSystem, random: new SeededRandom(seed) });
}

/** Everything in the log, by scan; each record also by id. */
export async function contentOf(log: Aof): Promise<Map<number, Uint8Array>> {
  const found = new Map<number, Uint8Array>();
  let last = log.firstId - 1;
  for await (const { id, payload } of log.read()) {
    assert.equal(id, last + 1, "ids are consecutive");
    last = id;
    found.set(id, payload.slice());
    assert.deepEqual(log.getSync(id)?.payload.slice(), payload.slice(), `get(${id}) is what the scan gave`);
  }
  return found;
}

/** What was owed at the moment of a crash. */
export interface Owed {
  /** Ids up to here must be there. */
  readonly lowest: number;
  /** Ids above were never appended. */
  readonly highest: number;
  /** Atomic batches: all or none of each. */
  readonly batches: readonly { readonly firstId: number; readonly lastId: number }[];
}

/** Opens what a crash left, judges it, appends to it, and opens it once more. */
export async function assertRecovers(
  survivor: CrashableFileSystem,
  run: string,
  owed: Owed,
  settings: Partial<AofSettings>,
): Promise<void> {
  const log = await openOn(survivor, { ...settings, flushStrategy: { kind: "sync" } }, 2);
  const { lastId } = log;
  assert.ok(lastId >= owed.lowest, `records up to ${owed.lowest} were acknowledged, the log ends at ${lastId}`);
  assert.ok(lastId <= owed.highest, `only ${owed.highest} records were appended, the log ends at ${lastId}`);
  const content = await contentOf(log);
  assert.equal(content.size, lastId);
  for (const [id, payload] of content) assert.deepEqual(payload, new Uint8Array(payloadOf(run, id)), `record ${id}`);
  for (const { firstId, lastId: end } of owed.batches) {
    assert.ok(lastId < firstId || lastId >= end, `batch ${firstId}..${end} is cut at ${lastId}`);
  }
  for (let id = lastId + 1; id <= lastId + 3; id++) assert.equal(log.append(payloadOf("after", id)), id);
  await log.close();
  const again = await openOn(survivor, settings, 3);
  assert.equal(again.recovery.outcome, "clean");
  assert.equal(again.lastId, lastId + 3);
  const both = await contentOf(again);
  for (const [id, payload] of both) {
    assert.deepEqual(
      payload,
      new Uint8Array(payloadOf(id <= lastId ? run : "after", id)),
      `record ${id} after appending`,
    );
  }
  await again.close();
}
