// Goal: a writer that was stuck and superseded acknowledges nothing any more, and loses nothing it acknowledged (G6);
// what a killed process had only written is synced again before anything is promised about it (D3).
// Method: two logs on one file system, the second with takeOver, at every point of the first one's run; then power loss.
import { CrashableFileSystem, crashModels, SeededRandom } from "@varve/fs-core/testing";
import { describe, expect, test } from "vitest";
import type { AofSettings } from "../src/index.ts";
import { assertRecovers, contentOf, openOn, payloadOf } from "./support/log-harness.ts";

const seed = 20261121;

describe.each([
  ["sync", { flushStrategy: { kind: "sync" } }],
  ["pool", { flushStrategy: { kind: "batched", batchSize: 1000 } }],
] satisfies [string, Partial<AofSettings>][])("%s", (_name, settings) => {
  test("the superseded writer is fenced on its next flush, the new one has all that was acknowledged", async () => {
    for (let before = 0; before < 40; before += 3) {
      const fs = new CrashableFileSystem();
      const old = await openOn(fs, settings);
      for (let id = 1; id <= before; id++) await old.appendDurable(payloadOf("run", id));
      const taker = await openOn(fs, { ...settings, takeOver: true }, 9);
      expect(taker.epoch).toBeGreaterThan(old.epoch);
      expect(taker.lastId).toBe(before);
      await expect(old.appendDurable(payloadOf("zombie", old.nextId))).rejects.toMatchObject({ code: "FENCED" });
      expect(old.durableId).toBe(before);
      expect(old.state).toBe("poisoned");
      expect(() => old.append(new Uint8Array(1))).toThrow(expect.objectContaining({ code: "FENCED" }));
      for (let id = before + 1; id <= before + 40; id++) await taker.appendDurable(payloadOf("run", id));
      await old.close().catch((error: { code: string }) => expect(error.code).toBe("FENCED"));
      for (const [id, payload] of await contentOf(taker)) expect(Buffer.compare(payload, payloadOf("run", id))).toBe(0);
      await taker.close();
      const again = await openOn(fs, settings);
      expect(again.lastId).toBe(before + 40);
      await again.close();
    }
  });

  test("an idle superseded writer changes nothing when it is closed", async () => {
    const fs = new CrashableFileSystem();
    const old = await openOn(fs, settings);
    await old.appendDurable(payloadOf("run", 1));
    const taker = await openOn(fs, { ...settings, takeOver: true }, 9);
    await taker.appendDurable(payloadOf("run", 2));
    await expect(old.close()).rejects.toMatchObject({ code: "FENCED" });
    await taker.appendDurable(payloadOf("run", 3));
    await taker.close();
    const again = await openOn(fs, settings);
    expect(again.lastId).toBe(3);
    await again.close();
  });
});

test("records that were written, not synced, by a killed process are durable once a recovery shows them", {
  timeout: 120_000,
}, async () => {
  const random = new SeededRandom(seed);
  for (let round = 0; round < 6; round++) {
    const fs = new CrashableFileSystem();
    // Written, never synced: `async` under a bound that is not reached.
    const killed = await openOn(fs, { flushStrategy: { kind: "async" }, segmentSizeBytes: 65536 });
    for (let id = 1; id <= 30 + round; id++) killed.append(payloadOf("run", id));
    await new Promise((resolve) => setImmediate(resolve));
    expect(killed).toMatchObject({ writtenId: 30 + round, durableId: 0 });
    const states: { fs: CrashableFileSystem; label: string; lowest: number }[] = [];
    let shown = 0;
    const stop = fs.onOperation(({ index, name, phase }) => {
      if (phase !== "before") return;
      for (const model of crashModels) {
        if (random.next() > 0.5) continue;
        const survivor = fs.crashClone({ model, random: new SeededRandom(seed + index) });
        states.push({ fs: survivor, label: `${index} ${name} ${model}`, lowest: shown });
      }
    });
    const recovered = await openOn(fs, { takeOver: true, segmentSizeBytes: 65536, flushStrategy: { kind: "sync" } }, 5);
    shown = recovered.lastId;
    expect(shown).toBe(30 + round);
    recovered.append(payloadOf("run", shown + 1));
    stop();
    for (const state of states) {
      try {
        await assertRecovers(
          state.fs,
          "run",
          { lowest: state.lowest, highest: shown + 1, batches: [] },
          { segmentSizeBytes: 65536 },
        );
      } catch (error) {
        throw new Error(`power cut at ${state.label}, round ${round}, seed ${seed}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
    await recovered.close();
    await killed.close().catch(() => {});
  }
});
