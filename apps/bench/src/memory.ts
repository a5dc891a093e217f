/**
 * Does memory stay where it is, however much is appended? Appends `--gib` of records in a process of its own, under a
 * strategy that flushes by itself, and notes the resident size on the way. Then it scans all of it once.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { Aof, isAofError } from "@varve/aof";
import { systemClock } from "@varve/fs-core";
import { type Bench, print, withDirectory } from "./bench.ts";
import { table } from "./measure.ts";
import { payloadsOf } from "./payloads.ts";

export const memoryChildName = "memory-child";

interface Sample {
  readonly gib: number;
  readonly rssMiB: number;
}

interface MemoryResult {
  readonly appending: readonly Sample[];
  readonly scanning: readonly Sample[];
  readonly peakMiB: number;
  readonly bytesPerRecord: number;
}

export const memory: Bench = {
  name: "memory",
  usage: ["resident memory over much that is appended and scanned", "--gib 10   --size 1024"],
  async run(args) {
    const { values } = parseArgs({ args: [...args], options: { gib: { type: "string" }, size: { type: "string" } } });
    const result = await withDirectory(async (dir) => {
      const child = spawnSync(
        process.execPath,
        [process.argv[1] as string, memoryChildName, dir, values.gib ?? "10", values.size ?? "1024"],
        { stdio: ["ignore", "pipe", "inherit"], maxBuffer: 2 ** 26 },
      );
      if (child.status !== 0) throw new Error(`the measured process ended with ${child.status}`);
      return JSON.parse(child.stdout.toString()) as MemoryResult;
    });
    const row = (what: string, samples: readonly Sample[]): string[] => [
      what,
      ...[0, 0.1, 0.5, 1].map((share) => `${samples[Math.round(share * (samples.length - 1))]?.rssMiB ?? "–"} MiB`),
    ];
    print(
      table(
        ["resident", "start", "after 10 %", "half", "end"],
        [row("appending", result.appending), row("scanning", result.scanning)],
      ),
    );
    print(`peak ${result.peakMiB} MiB; ${result.bytesPerRecord.toFixed(1)} bytes on disk a record\n`);
    return result;
  },
};

/** The measured process: prints its samples as JSON. */
export async function memoryChild([dir = "", gib = "", size = ""]: readonly string[]): Promise<number> {
  const bytes = Number(gib) * 2 ** 30;
  const payload = payloadsOf(Number(size));
  const log = await Aof.open({ dir, flushStrategy: { kind: "batched-or-periodic", batchSize: 1000, intervalMs: 100 } });
  const appending: Sample[] = [sampleAt(0)];
  let done = 0;
  for (let next = 0; done < bytes; ) {
    for (let k = 0; k < 500; k++) {
      try {
        log.append(payload(next));
        next++;
        done += Number(size);
      } catch (error) {
        if (!isAofError(error) || error.ready === undefined) throw error;
        await error.ready;
      }
    }
    await new Promise<void>((resolve) => systemClock.defer(resolve));
    if (done >= (appending.length * bytes) / 40) appending.push(sampleAt(done));
  }
  await log.flush();
  const scanning: Sample[] = [sampleAt(0)];
  let scanned = 0;
  for await (const batch of log.readBatches()) {
    for (let index = 0; index < batch.count; index++) scanned += batch.payload(index).length;
    if (scanned >= (scanning.length * bytes) / 40) scanning.push(sampleAt(scanned));
  }
  const disk = log.segments().reduce((sum, segment) => sum + (segment.fileBytes ?? segment.dataBytes), 0);
  const bytesPerRecord = disk / log.lastId;
  await log.close();
  const peakMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  process.stdout.write(JSON.stringify({ appending, scanning, peakMiB, bytesPerRecord }));
  return 0;
}

function sampleAt(bytes: number): Sample {
  return { gib: Number((bytes / 2 ** 30).toFixed(3)), rssMiB: Math.round(process.memoryUsage.rss() / 2 ** 20) };
}
