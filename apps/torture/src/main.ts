/**
 * `npm run torture`: runs the campaigns and prints what held. Exit code 0 when all of it did, 1 when something broke, 2 on
 * wrong use or when the fault tools are not on this machine.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { wholeNumber } from "./arguments.ts";
import { campaignNames, type CampaignRun, programs, type RunResult } from "./campaign.ts";
import { campaignRuns } from "./campaigns.ts";
import { copyFaultTools, findFaultTools } from "./fault-tools.ts";
import { printLines } from "./output.ts";
import { progressLine, resultTable } from "./report.ts";
import { runCampaigns } from "./run-campaigns.ts";

const usage = `usage: npm run torture -- [campaign…] [options]
  campaigns: ${campaignNames.join(", ")} (default: all)
  --sample       a small sample of each, some minutes
  --full         everything (default)
  --only TEXT    only configurations that contain TEXT
  --json         print results as JSON instead of a table
  --states N     powerloss: at most N crash states per durability model (default: all)
  --keep DIR     where failing states are kept (default: a directory below the system's temporary one)
  --jobs N       processes at once (default 2)
  --seed N       (default 1)
  --list         print the configurations and end
`;

interface Invocation {
  readonly runs: readonly CampaignRun[];
  readonly isSample: boolean;
  readonly isJson: boolean;
  readonly isList: boolean;
  readonly keepRoot: string | undefined;
  readonly jobs: number;
  readonly seed: number;
  readonly statesMax: number;
}

// `pnpm torture -- …` hands the dashes over.
process.exitCode = await main(process.argv.slice(process.argv[2] === "--" ? 3 : 2));

async function main(args: readonly string[]): Promise<number> {
  let invocation: Invocation;
  try {
    invocation = parse(args);
  } catch (error) {
    printLines(2, `${(error as Error).message}\n${usage}`);
    return 2;
  }
  const { runs, isSample, isJson, isList } = invocation;
  if (isList) {
    printLines(1, runs.map((run) => `${run.campaign.padEnd(13)}${run.configuration}\n`).join(""));
    return 0;
  }
  const tools = findFaultTools(process.env);
  if (tools === undefined) {
    printLines(
      2,
      "The fault tools are not on this machine: set VARVE_FAULTS to their directory. Nothing was tested.\n",
    );
    return isSample ? 0 : 2;
  }
  const results = await run(invocation, tools);
  printLines(1, isJson ? `${JSON.stringify(results, null, 1)}\n` : resultTable(results));
  return results.every((result) => result.passed) ? 0 : 1;
}

async function run(
  { runs, isSample, seed, statesMax, jobs, keepRoot }: Invocation,
  tools: string,
): Promise<RunResult[]> {
  if (keepRoot !== undefined) mkdirSync(keepRoot, { recursive: true });
  const root = keepRoot ?? mkdtempSync(join(tmpdir(), "varve-torture-"));
  const toolsDir = join(root, "tools");
  copyFaultTools(tools, toolsDir);
  const results = await runCampaigns(runs, {
    isSample,
    seed,
    statesMax,
    jobs,
    keepRoot: root,
    toolsDir,
    programs: programs(import.meta.dirname),
    onResult: (result) => printLines(2, progressLine(result)),
  });
  // The tools stay beside a failing state: its README line needs them.
  if (results.every((result) => result.passed))
    rmSync(keepRoot === undefined ? root : toolsDir, { recursive: true, force: true });
  return results;
}

/** @throws TypeError or RangeError that says what is wrong with the arguments */
function parse(args: readonly string[]): Invocation {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      sample: { type: "boolean" },
      full: { type: "boolean" },
      only: { type: "string" },
      json: { type: "boolean" },
      states: { type: "string" },
      keep: { type: "string" },
      jobs: { type: "string" },
      seed: { type: "string" },
      list: { type: "boolean" },
    },
  });
  if (values.sample === true && values.full === true) throw new TypeError("want --sample or --full, not both");
  for (const name of positionals) {
    if (!(campaignNames as readonly string[]).includes(name)) throw new RangeError(`no such campaign: ${name}`);
  }
  const isSample = values.sample === true;
  const runs = campaignRuns.filter(
    ({ campaign, configuration, inSample }) =>
      (positionals.length === 0 || positionals.includes(campaign)) &&
      (!isSample || inSample) &&
      (values.only === undefined || configuration.includes(values.only)),
  );
  if (runs.length === 0) throw new RangeError(`no configuration fits --only ${values.only}`);
  return {
    runs,
    isSample,
    isJson: values.json === true,
    isList: values.list === true,
    keepRoot: values.keep === undefined ? undefined : resolve(values.keep),
    jobs: Math.max(1, wholeNumber(values, "jobs", 2)),
    seed: wholeNumber(values, "seed", 1),
    statesMax: wholeNumber(values, "states", Number.POSITIVE_INFINITY),
  };
}
