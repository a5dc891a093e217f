// Goal: no crash, at any moment, loses an object that was acknowledged, shows a part of one, or brings a deleted one back;
// what was under way happened or did not.
// Method: a script of every kind of write on a file system that knows what power loss would leave; before every single
// operation its survivors are cloned under several models, opened, judged, and written to.
import { describe, expect, test } from "vitest";
import { createObjectStore, isStoreError, LocalDriver, type ObjectStore } from "../../src/index.ts";
import { CrashableFileSystem, type CrashModel, crashModels, SeededRandom } from "../../src/testing/index.ts";

const seed = Number(process.env["VARVE_SEED"] ?? 20261126);
/** Share of the crash states that are opened; all of them with VARVE_FULL=1. */
const share = process.env["VARVE_FULL"] === "1" ? 1 : 0.4;

/** Content of a key: what is there, or nothing. */
type Content = string | undefined;

/** What may be found: what was acknowledged last, and what was under way. */
class Owed {
  readonly #acknowledged = new Map<string, Content>();
  readonly #underWay = new Map<string, Content>();

  async write(key: string, content: Content, run: () => Promise<unknown>): Promise<void> {
    this.#underWay.set(key, content);
    await run();
    this.#underWay.delete(key);
    this.#acknowledged.set(key, content);
  }

  now(): ReadonlyMap<string, readonly Content[]> {
    const keys = new Set([...this.#acknowledged.keys(), ...this.#underWay.keys()]);
    return new Map(
      [...keys].map((key) => [
        key,
        [this.#acknowledged.get(key), ...(this.#underWay.has(key) ? [this.#underWay.get(key)] : [])],
      ]),
    );
  }
}

interface CrashState {
  readonly at: string;
  readonly model: CrashModel;
  readonly survivor: CrashableFileSystem;
  readonly owed: ReadonlyMap<string, readonly Content[]>;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text.repeat(40));

type Script = (store: ObjectStore, owed: Owed) => Promise<void>;

const scripts: Readonly<Record<string, Script>> = {
  "creating, replacing, deleting": async (store, owed) => {
    for (let round = 0; round < 3; round++) {
      const key = `folder/${round % 2}/object`;
      await owed.write(key, `created ${round}`, () => store.put(key, bytesOf(`created ${round}`)));
      await owed.write(key, `replaced ${round}`, () => store.put(key, bytesOf(`replaced ${round}`)));
      await owed.write("other", `other ${round}`, () => store.put("other", bytesOf(`other ${round}`)));
      await owed.write(key, undefined, () => store.delete(key));
      await owed.write(key, `again ${round}`, () => store.put(key, bytesOf(`again ${round}`), { ifAbsent: true }));
    }
  },
  "compare and swap": async (store, owed) => {
    let version = "";
    await owed.write("manifest", "0", async () => {
      ({ version } = await store.put("manifest", bytesOf("0"), { ifAbsent: true }));
    });
    for (let round = 1; round < 6; round++) {
      await owed.write("manifest", String(round), async () => {
        ({ version } = await store.put("manifest", bytesOf(String(round)), { ifMatch: version }));
      });
    }
  },
  "uploads in parts and copies": async (store, owed) => {
    for (let round = 0; round < 3; round++) {
      const content = `parts ${round} `;
      await owed.write(`p${round}`, content, () =>
        store.putStream(`p${round}`, [bytesOf(content)], { partBytes: 100 }),
      );
      await owed.write(`c${round}`, content, () => store.copy(`p${round}`, `c${round}`, { ifAbsent: true }));
    }
  },
};

async function judge({ survivor, owed, at, model }: CrashState): Promise<void> {
  const context = `${model} before ${at}`;
  const driver = await LocalDriver.open(survivor, { random: new SeededRandom(seed + 7) });
  const store = createObjectStore(driver);
  const listed = new Set<string>();
  for await (const entry of store.list()) if (entry.kind === "object") listed.add(entry.key);
  for (const [key, allowed] of owed) {
    const body = await store.get(key).catch((error: unknown) => {
      if (isStoreError(error) && error.code === "NOT_FOUND") return undefined;
      throw error;
    });
    const found = body === undefined ? undefined : new TextDecoder().decode(await body.bytes());
    const texts = allowed.map((content) => content?.repeat(40));
    expect(texts, `${key}, ${context}`).toContain(found);
    expect(listed.has(key), `${key} is listed, ${context}`).toBe(found !== undefined);
    listed.delete(key);
  }
  expect([...listed], context).toEqual([]);
  // It can be written to, and nothing that was under way is left.
  await store.put("folder/0/after", bytesOf("after"), { ifAbsent: true });
  for (const key of owed.keys()) await store.put(key, bytesOf("after"));
  await store.close();
  expect(await survivor.list(".varve-store/staging"), context).toEqual([]);
}

describe.each(Object.entries(scripts))("%s", (_name, script) => {
  test("at every operation, under every model", { timeout: 120_000 }, async () => {
    const random = new SeededRandom(seed);
    const disk = new CrashableFileSystem();
    const owed = new Owed();
    const states: CrashState[] = [];
    disk.onOperation(({ index, name, path, phase }) => {
      if (phase !== "before") return;
      for (const model of crashModels) {
        if (random.next() >= share) continue;
        const survivor = disk.crashClone({ model, random: new SeededRandom(seed + index * 31) });
        states.push({ at: `${index} ${name} ${path}`, model, survivor, owed: owed.now() });
      }
    });
    const store = createObjectStore(await LocalDriver.open(disk, { random }));
    await script(store, owed);
    await store.close();
    for (const state of states) await judge(state);
    expect(states.length).toBeGreaterThan(100);
  });
});
