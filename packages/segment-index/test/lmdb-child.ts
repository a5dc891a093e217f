/**
 * Writes to an LMDB index until something stops it, and says what was acknowledged.
 *
 * Arguments: the index directory. Prints `+<id>` when cursor "acked" is durably at <id>, `!<code>` when a change fails.
 */
import { writeSync } from "node:fs";
import { LmdbSegmentIndex } from "../src/lmdb/index.ts";
import { sampleEntry, sampleLogId as logId } from "../src/testing/index.ts";

const [directory] = process.argv.slice(2) as [string];
// A write beyond the file size limit shall fail, not kill: as on a full disk.
process.on("SIGXFSZ", () => {});

const index = await LmdbSegmentIndex.open({ directory, logId });
const begin = (await index.getCursor("acked")) ?? 0;
const say = (line: string): void => void writeSync(1, `${line}\n`);

for (let id = begin + 1; id <= begin + 5000; id++) {
  try {
    await Promise.all([
      index.add(sampleEntry(1 + 100 * id, { archiveKey: "k".repeat(500) })),
      index.setCursor("acked", id),
    ]);
  } catch (error) {
    say(`!${(error as { code?: string }).code ?? String(error)}`);
    break;
  }
  say(`+${id}`);
}
// Whatever failed: reads go on, later changes are refused, and closing works.
say(`=${await index.getCursor("acked")}`);
await index.setCursor("late", 1).catch((error: unknown) => say(`!${(error as { code?: string }).code}`));
await index.close();
say("closed");
