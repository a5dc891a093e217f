/**
 * A program that opens a log, recovery included, and prints what it holds, in the contract of the fault tools: one
 * directory as an argument, or with `--batch` one JSON line `{"dir"}` after the other on standard input. Anything that
 * is neither an answer nor a typed refusal ends it with Node's own report, which the tools take for a crash.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import type { AofSettings } from "@varve/aof";
import { SeededRandom } from "@varve/fs-core/testing";
import { type IndexKind, indexKinds, oneOf } from "./arguments.ts";
import { printLines } from "./output.ts";
import { parsePromises, type Promises } from "./promises.ts";
import { type Answer, verifyDirectory } from "./verify-directory.ts";

const usage = `usage: node dist/verifier.js [options] DIR
       node dist/verifier.js --batch [options]
  --index KIND        file (default) | lmdb | memory | auto
  --recovery MODE     truncate-torn-tail (default) | strict | salvage
  --thorough          also look read-only and with verifyLog, before and after
  --before FILE       a writer's output of an earlier time: what it promised is checked, its ids are not printed
`;

const exitRefused = 3;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let invocation: Invocation;
  try {
    invocation = parse(args);
  } catch (error) {
    printLines(2, `${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { dir, isThorough, before, settings } = invocation;
  const verify = (each: string): Promise<Answer> =>
    verifyDirectory({ settings: { ...settings, dir: each }, random: new SeededRandom(1), isThorough, before });
  if (dir !== undefined) return printAnswer(await verify(dir));
  for await (const line of createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line) as { readonly dir: string };
    printLines(1, `${JSON.stringify(await verify(asked.dir))}\n`);
  }
  return 0;
}

function printAnswer({ ids, reports, error }: Answer): number {
  const lines = [...ids.map((id) => `R ${id}`), ...reports.map((report) => `C ${report.replaceAll("\n", "; ")}`)];
  if (error !== null) lines.push(`E ${error.code} ${error.message}`);
  printLines(1, lines.map((line) => `${line}\n`).join(""));
  return error === null ? 0 : exitRefused;
}

interface Invocation {
  /** undefined: directories come on standard input. */
  readonly dir: string | undefined;
  readonly isThorough: boolean;
  readonly before: Promises | undefined;
  readonly settings: Omit<AofSettings, "dir">;
}

/** @throws TypeError or RangeError that says what is wrong with the arguments */
function parse(args: readonly string[]): Invocation {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      batch: { type: "boolean" },
      index: { type: "string" },
      recovery: { type: "string" },
      thorough: { type: "boolean" },
      before: { type: "string" },
    },
  });
  const [dir] = positionals;
  if (positionals.length !== (values.batch === true ? 0 : 1))
    throw new TypeError("want exactly one directory, or --batch");
  const indexKind: IndexKind = oneOf(values, "index", indexKinds) ?? "file";
  const recovery = oneOf(values, "recovery", ["truncate-torn-tail", "strict", "salvage"]) ?? "truncate-torn-tail";
  return {
    dir,
    isThorough: values.thorough === true,
    before: values.before === undefined ? undefined : parsePromises(readFileSync(values.before, "utf8")),
    // The smallest buffer: tens of thousands of opens must stay within the memory limit of the tools.
    settings: { indexKind, recovery, bufferBytes: 65536, segmentSizeBytes: 4096 },
  };
}
