/**
 * What does each kind of index cost, and from which size on does it matter? Run: `node bench/kinds.bench.ts [directory]`.
 * Prints one row per kind and size: medians of interleaved rounds.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalFileSystem, systemClock } from "@varve/fs-core";
import { SeededRandom } from "@varve/fs-core/testing";
import { openSegmentIndex } from "../src/index.ts";
import type { SegmentIndex } from "../src/segment-index.ts";
import { sampleEntry, sampleLogId as logId } from "../src/testing/index.ts";

const root = mkdtempSync(join(process.argv[2] ?? tmpdir(), "varve-bench-"));
const fileSystem = new LocalFileSystem(root);
const sizes = [160, 10_000, 100_000];
const rounds = 5;

type Row = Record<string, number>;

async function timed<T>(row: Row, name: string, count: number, body: () => Promise<T>): Promise<T> {
  const begin = systemClock.monotonicUs();
  const result = await body();
  row[name] = (systemClock.monotonicUs() - begin) / count;
  return result;
}

async function open(kind: "lmdb" | "file", path: string, expected: string): Promise<SegmentIndex> {
  const { index, outcome } = await openSegmentIndex({ kind, path, logId }, { fileSystem });
  if (outcome !== expected) throw new Error(`${kind}: ${outcome}, want ${expected}`);
  return index;
}

async function measure(kind: "lmdb" | "file", size: number, round: number): Promise<Row> {
  const row: Row = {};
  const path = `${kind}-${size}-${round}`;
  const random = new SeededRandom(round);
  const created = await open(kind, path, "created");
  const entries = Array.from({ length: size }, (_, n) => sampleEntry(1 + 100 * n));
  await timed(row, "rebuild µs/entry", size, () => created.replaceAll(entries));
  await created.close();
  const index = await timed(row, "open, clean µs", 1, () => open(kind, path, "opened"));
  await timed(row, "durable change µs", 100, async () => {
    for (let n = 0; n < 100; n++) await index.update(1 + 100 * random.int(size), { epoch: n });
  });
  await timed(row, "findForId µs", 2000, async () => {
    for (let n = 0; n < 2000; n++) await index.findForId(1 + random.int(100 * size));
  });
  await timed(row, "findForTimestamp µs", 2000, async () => {
    for (let n = 0; n < 2000; n++) await index.findForTimestamp(10 * random.int(100 * size));
  });
  await timed(row, "list µs/entry", size, () => index.list());
  await timed(row, "close µs", 1, () => index.close());
  if (kind === "lmdb") {
    await fileSystem.deleteFile(`${path}/data.seal`);
    const again = await timed(row, "open, after a crash µs", 1, () => open(kind, path, "opened"));
    await again.close();
  }
  await fileSystem.removeDirectory(path);
  return row;
}

function medians(rows: readonly Row[]): Row {
  const names = Object.keys(rows[0] ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const values = rows.map((row) => row[name] ?? Number.NaN).sort((a, b) => a - b);
      return [name, Number((values[values.length >> 1] ?? Number.NaN).toPrecision(3))];
    }),
  );
}

const table: Record<string, Row> = {};
for (const size of sizes) {
  const rows = { lmdb: [] as Row[], file: [] as Row[] };
  for (let round = 0; round < rounds; round++) {
    for (const kind of ["lmdb", "file"] as const) rows[kind].push(await measure(kind, size, round));
  }
  for (const kind of ["lmdb", "file"] as const) table[`${kind}, ${size} entries`] = medians(rows[kind]);
}
console.table(table);
rmSync(root, { recursive: true, force: true });
