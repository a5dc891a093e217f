/**
 * Opens damaged LMDB indexes for real, one after another, in a process of its own: LMDB's answer to bytes it cannot
 * follow is to end the process, and then the last line printed names the case.
 *
 * Arguments: the directory of a closed, sound index; a scratch directory; the seed; how many flips to try.
 */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LocalFileSystem } from "@varve/fs-core";
import { SeededRandom } from "@varve/fs-core/testing";
import { openSegmentIndex, type OpenedSegmentIndex } from "../src/index.ts";
import { sampleEntry, sampleLogId as logId } from "../src/testing/index.ts";
import { blocksSpoiled, flipped, replacedWhole, truncated } from "./damage-cases.ts";
import { emptyState, visibleState, type VisibleState } from "./fill-index.ts";

const [template, scratch, seedText, flipsText] = process.argv.slice(2) as [string, string, string, string];
const seed = Number(seedText);
const fileSystem = new LocalFileSystem(scratch);
const directory = join(scratch, "index");

interface Case {
  readonly name: string;
  readonly spoil: () => void;
  /** Whether the index must survive it. */
  readonly harmless?: boolean;
}

function* cases(): Generator<Case, void, undefined> {
  const random = new SeededRandom(seed);
  const data = readFileSync(join(template, "data.mdb"));
  const seal = readFileSync(join(template, "data.seal"));
  const lock = readFileSync(join(template, "lock.mdb"));
  const inFile = (file: string, bytes: Uint8Array) => (): void => writeFileSync(join(directory, file), bytes);
  const spoiled = [
    ...replacedWhole(data, random),
    ...truncated(data, random, { step: 16_384, count: 20 }),
    ...flipped(data, random, { to: 192, count: 24 }),
    ...flipped(data, random, { from: 4096, to: 4288, count: 24 }),
    ...flipped(data, random, { count: Number(flipsText) }),
    ...blocksSpoiled(data, random, { size: 4096, count: 10 }),
  ];
  for (const { name, bytes } of spoiled) yield { name: `data: ${name}`, spoil: inFile("data.mdb", bytes) };
  for (const { name, bytes } of [...replacedWhole(lock, random), ...flipped(lock, random, { count: 6 })]) {
    yield { name: `lock: ${name}`, spoil: inFile("lock.mdb", bytes), harmless: true };
  }
  for (const { name, bytes } of [...replacedWhole(seal, random), ...flipped(seal, random, { count: 6 })]) {
    yield { name: `seal: ${name}`, spoil: inFile("data.seal", bytes), harmless: true };
  }
  yield { name: "nothing", spoil: () => {}, harmless: true };
  for (const file of ["data.mdb", "data.seal", "lock.mdb"]) {
    const harmless = file !== "data.mdb";
    const remove = (): void => rmSync(join(directory, file));
    yield { name: `no ${file}`, spoil: remove, harmless };
    yield {
      name: `${file} is a directory`,
      spoil: () => (remove(), mkdirSync(join(directory, file, "deeper"), { recursive: true })),
      harmless,
    };
  }
  yield {
    name: "a crash while building",
    spoil: () => cpSync(template, join(directory, "building"), { recursive: true }),
    harmless: true,
  };
  yield {
    name: "a file instead of the directory",
    spoil: () => (rmSync(directory, { recursive: true }), writeFileSync(directory, "x")),
  };
}

function open(): Promise<OpenedSegmentIndex> {
  return openSegmentIndex({ kind: "lmdb", path: "index", logId }, { fileSystem });
}

async function tryCase(found: Case, right: VisibleState): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  cpSync(template, directory, { recursive: true });
  found.spoil();
  const first = await open();
  assert.deepEqual(await visibleState(first.index), first.outcome === "opened" ? right : emptyState);
  if (found.harmless) assert.equal(first.outcome, "opened");
  // It also works: writes walk the pages and the free list.
  await first.index.add(sampleEntry(900_001));
  await first.index.remove(1 + 100 * 58);
  await first.index.setCursor("after", 1);
  assert.deepEqual(
    (await first.index.verify()).filter(({ kind }) => kind === "storage"),
    [],
  );
  const after = await visibleState(first.index);
  await first.index.close();
  const second = await open();
  assert.equal(second.outcome, "opened");
  assert.deepEqual(await visibleState(second.index), after);
  await second.index.close();
}

rmSync(directory, { recursive: true, force: true });
cpSync(template, directory, { recursive: true });
const sound = await open();
const right = await visibleState(sound.index);
await sound.index.close();

let count = 0;
for (const found of cases()) {
  process.stdout.write(`${found.name}\n`);
  await tryCase(found, right);
  count++;
}
process.stdout.write(`done ${count}\n`);
