/**
 * Goal: the simulator takes exactly what was not synced, no more and no less.
 * Method: small histories whose possible outcomes can be listed, and a random one against a naive model.
 */
import { describe, expect, test } from "vitest";
import type { FileSystem } from "../file-system/file-system.ts";
import { CrashableFileSystem, type OperationBoundary } from "./crashable-file-system.ts";
import { type CrashModel, crashModels, sectorBytes } from "./crash-survivors.ts";
import { ManualClock } from "./manual-clock.ts";
import { SeededRandom } from "./seeded-random.ts";

function put(fs: FileSystem, path: string, text: string, durable: boolean): void {
  const handle = fs.createFileSync(path);
  handle.writeAtSync(0, Buffer.from(text));
  if (durable) handle.syncSync();
  handle.closeSync();
}

function overwrite(fs: FileSystem, path: string, position: number, text: string): void {
  const handle = fs.openFileMutSync(path);
  handle.writeAtSync(position, Buffer.from(text));
  handle.closeSync();
}

function read(fs: FileSystem, path: string): Buffer {
  const handle = fs.openFileSync(path);
  const bytes = Buffer.alloc(handle.sizeSync());
  handle.readAtSync(0, bytes);
  handle.closeSync();
  return bytes;
}

/** The whole tree as text: `a=content d/ d/b=content`. */
function tree(fs: FileSystem, directory = ""): string {
  const parts = fs.listSync(directory).map(({ name, kind }) => {
    const path = directory === "" ? name : `${directory}/${name}`;
    return kind === "directory" ? `${path}/ ${tree(fs, path)}`.trim() : `${path}=${read(fs, path).toString("latin1")}`;
  });
  return parts.join(" ");
}

function crash(fs: CrashableFileSystem, model: CrashModel, seed = 1): string {
  return tree(fs.crashClone({ model, random: new SeededRandom(seed) }));
}

/** All that `model` makes of the moment, over many seeds. */
function outcomes(fs: CrashableFileSystem, model: CrashModel): string[] {
  return [...new Set(Array.from({ length: 200 }, (_, seed) => crash(fs, model, seed)))].sort();
}

test("what was synced, name and bytes, survives every model", () => {
  const fs = new CrashableFileSystem();
  put(fs, "a", "kept", true);
  fs.syncDirectorySync("");
  for (const model of crashModels) expect(outcomes(fs, model)).toEqual(["a=kept"]);
});

test("the unsynced, by model", async () => {
  const fs = new CrashableFileSystem();
  put(fs, "a", "durable", true);
  fs.syncDirectorySync("");
  overwrite(fs, "a", 0, "DURABLE+grown");
  put(fs, "b", "new", false);
  const model = (name: CrashModel): string => crash(fs, name);
  expect(model("all")).toBe("a=DURABLE+grown b=new");
  expect(model("drop")).toBe("a=durable");
  expect(model("data-drop")).toBe("a=durable b=");
  expect(model("names-drop")).toBe("a=DURABLE+grown");
  expect(model("zeros")).toBe("a=durable\0\0\0\0\0\0 b=\0\0\0");
  expect(model("garbage")).toMatch(/^a=durable[^]{6} b=[^]{3}$/);
  expect(outcomes(fs, "garbage").length).toBeGreaterThan(100);
});

test("prefix: changes survive in order, the last one cut at any byte", () => {
  const fs = new CrashableFileSystem();
  fs.createFileSync("a");
  fs.syncDirectorySync("");
  overwrite(fs, "a", 0, "12");
  fs.createFileSync("b");
  overwrite(fs, "b", 0, "xy");
  overwrite(fs, "a", 2, "3");
  expect(outcomes(fs, "prefix")).toEqual(["a=", "a=1", "a=12", "a=12 b=", "a=12 b=x", "a=12 b=xy", "a=123 b=xy"]);
});

test("subset: each sector and each name on its own", () => {
  const fs = new CrashableFileSystem();
  const handle = fs.createFileSync("a");
  handle.syncSync();
  fs.syncDirectorySync("");
  // Begins in the middle of one sector and ends in the middle of the third.
  handle.writeAtSync(sectorBytes - 100, Buffer.alloc(2 * sectorBytes, "x"));
  fs.createFileSync("b");
  const shapes = new Set<string>();
  for (let seed = 0; seed < 200; seed += 1) {
    const after = fs.crashClone({ model: "subset", random: new SeededRandom(seed) });
    const bytes = read(after, "a").toString("latin1");
    const sectors = [bytes.slice(0, 512), bytes.slice(512, 1024), bytes.slice(1024)];
    const shape = sectors.map((sector) => (sector.includes("x") ? "x" : sector === "" ? "" : "0"));
    expect(bytes).toMatch(
      /^(|\0{412}x{100}|\0{512}x{512}|\0{412}x{612}|(\0{1024}|\0{412}x{100}\0{512}|\0{512}x{512}|\0{412}x{612})x{412})$/,
    );
    shapes.add(`${shape.join("|")} ${after.listSync("").length}`);
  }
  // 2³ choices of sectors times 2 of the name; without the last sectors the file is shorter.
  expect(shapes.size).toBe(16);
});

test("subset: survivingShare leans it", () => {
  const fs = new CrashableFileSystem();
  fs.syncDirectorySync("");
  for (let i = 0; i < 400; i += 1) fs.createFileSync(`f${i}`);
  const survivors = (survivingShare: number): number =>
    fs.crashClone({ model: "subset", random: new SeededRandom(1), survivingShare }).listSync("").length;
  expect(survivors(0)).toBe(0);
  expect(survivors(1)).toBe(400);
  expect(survivors(0.9)).toBeGreaterThan(320);
  expect(survivors(0.1)).toBeLessThan(80);
});

describe("syncing bytes", () => {
  test.each([{ dataOnly: true }, { dataOnly: false }, undefined])("makes sizes durable: %j", (options) => {
    const fs = new CrashableFileSystem();
    const handle = fs.createFileSync("a");
    fs.syncDirectorySync("");
    handle.writeAtSync(0, Buffer.from("123456"));
    handle.setSizeSync(4);
    handle.preallocateSync(3, 3);
    handle.syncSync(options);
    handle.setSizeSync(0);
    expect(crash(fs, "drop")).toBe("a=123\0\0\0");
  });

  test("covers what was written before it began, not what is written meanwhile", async () => {
    const fs = new CrashableFileSystem();
    const handle = fs.createFileSync("a");
    fs.syncDirectorySync("");
    handle.writeAtSync(0, Buffer.from("before"));
    const syncing = handle.sync({ dataOnly: true });
    handle.writeAtSync(0, Buffer.from("during"));
    await syncing;
    expect(crash(fs, "drop")).toBe("a=before");
    const covering = fs.syncDirectory("");
    fs.createFileSync("b");
    await covering;
    expect(crash(fs, "drop")).toBe("a=before");
  });

  test("covers this file only, and writes through every handle", async () => {
    const fs = new CrashableFileSystem();
    const [a, b] = [fs.createFileSync("a"), fs.createFileSync("b")];
    fs.syncDirectorySync("");
    b.writeAtSync(0, Buffer.from("lost"));
    overwrite(fs, "a", 0, "kept");
    await a.sync();
    expect(crash(fs, "drop")).toBe("a=kept b=");
  });

  test("that fails loses what it covered for good, though readers see it until the cut", () => {
    const fs = new CrashableFileSystem();
    const handle = fs.createFileSync("a");
    handle.writeAtSync(0, Buffer.from("one"));
    handle.syncSync();
    fs.syncDirectorySync("");
    handle.writeAtSync(3, Buffer.from("two"));
    fs.syncFailed(handle);
    handle.writeAtSync(6, Buffer.from("three"));
    handle.syncSync();
    expect(tree(fs)).toBe("a=onetwothree");
    expect(crash(fs, "all")).toBe("a=onetwothree");
    for (const model of crashModels) if (model !== "all") expect(crash(fs, model)).toBe("a=one\0\0\0three");
  });

  test("does not make the name durable", () => {
    const fs = new CrashableFileSystem();
    put(fs, "a", "bytes", true);
    expect(crash(fs, "drop")).toBe("");
    expect(crash(fs, "data-drop")).toBe("a=bytes");
  });
});

describe("names", () => {
  test("a rename is one change: before its sync, old or new, never both or none", () => {
    const fs = new CrashableFileSystem();
    put(fs, "a", "old", true);
    put(fs, "b", "new", true);
    fs.syncDirectorySync("");
    fs.renameSync("b", "a");
    expect(outcomes(fs, "subset")).toEqual(["a=new", "a=old b=new"]);
    fs.syncDirectorySync("");
    expect(crash(fs, "drop")).toBe("a=new");
  });

  test("a rename across directories is durable when both were synced", async () => {
    const fs = new CrashableFileSystem();
    await fs.mkdir("d");
    await fs.mkdir("e");
    put(fs, "d/a", "x", true);
    fs.syncDirectorySync("d");
    fs.renameSync("d/a", "e/b");
    fs.syncDirectorySync("e");
    expect(outcomes(fs, "subset")).toEqual(["d/ d/a=x e/", "d/ e/ e/b=x"]);
    fs.syncDirectorySync("d");
    expect(crash(fs, "drop")).toBe("d/ e/ e/b=x");
  });

  test("settle in the order in which they changed, whatever is synced first", async () => {
    const fs = new CrashableFileSystem();
    await fs.mkdir("d");
    await fs.mkdir("e");
    put(fs, "d/a", "x", true);
    fs.syncDirectorySync("d");
    fs.renameSync("d/a", "e/b");
    fs.deleteFileSync("e/b");
    fs.syncDirectorySync("e");
    fs.syncDirectorySync("d");
    for (const model of crashModels) expect(crash(fs, model)).toBe("d/ e/");
  });

  test("an unlink is durable when its directory was synced; until then the file may be back", () => {
    const fs = new CrashableFileSystem();
    put(fs, "a", "x", true);
    fs.syncDirectorySync("");
    fs.deleteFileSync("a");
    expect(outcomes(fs, "subset")).toEqual(["", "a=x"]);
    put(fs, "a", "again", true);
    expect(outcomes(fs, "subset")).toEqual(["", "a=again", "a=x"]);
    fs.syncDirectorySync("");
    expect(outcomes(fs, "subset")).toEqual(["a=again"]);
  });

  test("an unlink takes away the file it was of, not one that an undone rename left under the name", () => {
    const fs = new CrashableFileSystem();
    put(fs, "a", "old", true);
    put(fs, "b", "new", true);
    fs.syncDirectorySync("");
    fs.renameSync("b", "a");
    fs.deleteFileSync("a");
    expect(outcomes(fs, "subset")).toEqual(["", "a=new", "a=old b=new"]);
  });

  test("mkdir is durable at once, with all its parents; a file in it is not", async () => {
    const fs = new CrashableFileSystem();
    await fs.mkdir("d/e/f");
    put(fs, "d/e/f/a", "x", true);
    expect(crash(fs, "drop")).toBe("d/ d/e/ d/e/f/");
  });

  test("an unsynced removeDirectory may come back in part", async () => {
    const fs = new CrashableFileSystem();
    await fs.mkdir("d");
    for (const name of ["a", "b"]) put(fs, `d/${name}`, "x", true);
    fs.syncDirectorySync("d");
    await fs.removeDirectory("d");
    expect(outcomes(fs, "subset")).toEqual(["", "d/", "d/ d/a=x", "d/ d/a=x d/b=x", "d/ d/b=x"]);
  });

  test("two names of one file stay one file", async () => {
    const fs = new CrashableFileSystem();
    put(fs, "a", "x", true);
    await fs.linkNoReplace("a", "b");
    fs.syncDirectorySync("");
    const after = fs.crashClone({ model: "drop", random: new SeededRandom(1) });
    overwrite(after, "a", 0, "y");
    expect(tree(after)).toBe("a=y b=y");
  });

  test("a failed directory sync loses them for good", () => {
    const fs = new CrashableFileSystem();
    fs.syncDirectorySync("");
    put(fs, "a", "x", true);
    fs.syncFailed("");
    fs.syncDirectorySync("");
    put(fs, "b", "y", true);
    fs.syncDirectorySync("");
    expect(tree(fs)).toBe("a=x b=y");
    expect(crash(fs, "names-drop")).toBe("b=y");
    expect(crash(fs, "zeros")).toBe("b=y");
  });
});

describe("a clone", () => {
  test("is independent, and all in it is durable", async () => {
    const fs = new CrashableFileSystem({ clock: new ManualClock() });
    put(fs, "a", "one", true);
    fs.syncDirectorySync("");
    const after = fs.crashClone({ model: "all", random: new SeededRandom(1) });
    overwrite(fs, "a", 0, "two");
    overwrite(after, "a", 0, "six");
    put(after, "b", "new", false);
    expect([tree(fs), tree(after)]).toEqual(["a=two", "a=six b=new"]);
    expect(crash(after, "drop")).toBe("a=one");
  });

  test("has no locks and no open handles of its own", async () => {
    const fs = new CrashableFileSystem();
    await fs.lock("");
    const after = fs.crashClone({ model: "drop", random: new SeededRandom(1) });
    await (await after.lock("")).release();
    await expect(fs.lock("")).rejects.toMatchObject({ code: "LOCKED" });
  });

  test("gives new files new identities", () => {
    const fs = new CrashableFileSystem();
    put(fs, "a", "", true);
    fs.syncDirectorySync("");
    const after = fs.crashClone({ model: "drop", random: new SeededRandom(1) });
    put(after, "b", "", true);
    expect(after.fileMetadataSync("a").ino).not.toBe(after.fileMetadataSync("b").ino);
  });

  test("repeats itself for a seed", () => {
    const fs = new CrashableFileSystem();
    for (let i = 0; i < 20; i += 1) put(fs, `f${i}`, "x".repeat(2000), false);
    for (const model of crashModels) expect(crash(fs, model, 9)).toBe(crash(fs, model, 9));
  });

  test("refuses an unknown model", () => {
    const fs = new CrashableFileSystem();
    expect(() => crash(fs, "hurricane" as CrashModel)).toThrow(TypeError);
  });
});

describe("onOperation", () => {
  test("fires before and after every operation of both forms, failed ones too, until it is ended", async () => {
    const fs = new CrashableFileSystem();
    const seen: OperationBoundary[] = [];
    const end = fs.onOperation((boundary) => void seen.push(boundary));
    const handle = await fs.createFile("a");
    handle.writeAtSync(0, Buffer.from("x"));
    await handle.sync();
    expect(() => fs.openFileSync("b")).toThrow();
    end();
    fs.listSync("");
    expect(seen.map(({ index, name, path, phase }) => `${index} ${name} ${path} ${phase}`)).toEqual([
      "0 createFile a before",
      "0 createFile a after",
      "1 writeAt a before",
      "1 writeAt a after",
      "2 sync a before",
      "2 sync a after",
      "3 openFile b before",
      "3 openFile b after",
    ]);
    expect(fs.operations).toBe(5);
  });

  test("sees the state of its moment", () => {
    const fs = new CrashableFileSystem();
    const handle = fs.createFileSync("a");
    fs.syncDirectorySync("");
    handle.writeAtSync(0, Buffer.from("x"));
    const states: string[] = [];
    fs.onOperation(({ phase }) => void states.push(`${phase} ${crash(fs, "drop")}`));
    handle.syncSync();
    expect(states).toEqual(["before a=", "after a=x"]);
  });
});

test("a random history: drop and all agree with a naive model", () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = new SeededRandom(seed);
    const fs = new CrashableFileSystem();
    // The naive model keeps whole copies: of each file's live and durable content, and of the names.
    const live = new Map<string, { content: string; durable: string }>();
    let durableNames = new Map<string, { content: string; durable: string }>();
    for (let step = 0; step < 60; step += 1) {
      const name = random.pick(["a", "b", "c"]);
      const file = live.get(name);
      const action = random.int(6);
      if (file === undefined) {
        fs.createFileSync(name);
        live.set(name, { content: "", durable: "" });
      } else if (action === 0) {
        fs.deleteFileSync(name);
        live.delete(name);
      } else if (action === 1) {
        const to = random.pick(["a", "b", "c"]);
        fs.renameSync(name, to);
        live.delete(name);
        live.set(to, file);
      } else if (action === 2) {
        fs.openFileMutSync(name).syncSync({ dataOnly: random.chance(0.5) });
        file.durable = file.content;
      } else if (action === 3) {
        fs.syncDirectorySync("");
        durableNames = new Map(live);
      } else {
        const position = random.int(file.content.length + 1);
        const text = String.fromCharCode(65 + random.int(26)).repeat(1 + random.int(700));
        overwrite(fs, name, position, text);
        file.content = file.content.slice(0, position) + text + file.content.slice(position + text.length);
      }
      const render = (names: typeof live, part: "content" | "durable"): string =>
        [...names.keys()]
          .sort()
          .map((key) => `${key}=${names.get(key)?.[part]}`)
          .join(" ");
      expect(crash(fs, "all"), `seed ${seed} step ${step}`).toBe(render(live, "content"));
      expect(crash(fs, "drop"), `seed ${seed} step ${step}`).toBe(render(durableNames, "durable"));
      expect(crash(fs, "data-drop"), `seed ${seed} step ${step}`).toBe(render(live, "durable"));
      expect(crash(fs, "names-drop"), `seed ${seed} step ${step}`).toBe(render(durableNames, "content"));
    }
  }
});
