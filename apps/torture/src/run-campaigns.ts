/** Runs a list of campaign runs: each in a directory of its own, kept when it fails, as many at once as there are jobs. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Clock, systemClock } from "@varve/fs-core";
import {
  type CampaignRun,
  type Programs,
  type RunContext,
  type RunResult,
  shellQuote,
  type ToolResult,
} from "./campaign.ts";
import { runTool } from "./run-tool.ts";

export interface CampaignSettings {
  readonly isSample: boolean;
  readonly seed: number;
  readonly statesMax: number;
  readonly jobs: number;
  /** A run's failing state ends up in a directory below this one. */
  readonly keepRoot: string;
  /** Where the tools are; undefined runs only what needs none. */
  readonly toolsDir: string | undefined;
  readonly programs: Programs;
  readonly onResult: (result: RunResult) => void;
}

/** Tools that use several processes themselves. */
const parallelTools: ReadonlySet<string> = new Set(["powerloss.mjs", "syscallfault.mjs", "netfault.mjs"]);

export async function runCampaigns(runs: readonly CampaignRun[], settings: CampaignSettings): Promise<RunResult[]> {
  const numbered = runs.map((run, k) => ({ run, number: k + 1 }));
  const isParallel = ({ run }: (typeof numbered)[number]): boolean =>
    "tool" in run.work && parallelTools.has(run.work.tool);
  const results: RunResult[] = [];
  const work = async (queue: typeof numbered): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const result = await runOne(next.run, next.number, settings);
      settings.onResult(result);
      results.push(result);
    }
  };
  await work(numbered.filter(isParallel));
  const single = numbered.filter((each) => !isParallel(each));
  await Promise.all(Array.from({ length: settings.jobs }, () => work(single)));
  return results;
}

async function runOne(
  run: CampaignRun,
  number: number,
  settings: CampaignSettings,
  clock: Clock = systemClock,
): Promise<RunResult> {
  const keepDir = join(settings.keepRoot, `${run.campaign}-${number}`);
  const workDir = join(settings.keepRoot, `work-${number}`);
  for (const dir of [keepDir, workDir]) {
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }
  const { isSample, seed, statesMax, jobs, programs } = settings;
  const context: RunContext = { isSample, seed, statesMax, jobs, keepDir, workDir, ...programs };
  const began = clock.monotonicUs();
  const { command, result } = await perform(run, context, settings.toolsDir);
  const seconds = (clock.monotonicUs() - began) / 1e6;
  if (result.passed) {
    rmSync(keepDir, { recursive: true, force: true });
    rmSync(workDir, { recursive: true, force: true });
  }
  const kept = existsSync(keepDir) ? keepDir : undefined;
  return { ...result, campaign: run.campaign, configuration: run.configuration, seconds, command, kept };
}

async function perform(
  { work }: CampaignRun,
  context: RunContext,
  toolsDir: string | undefined,
): Promise<{ readonly command: string; readonly result: ToolResult }> {
  if ("own" in work) return { command: "", result: await work.own(context) };
  if (toolsDir === undefined) throw new Error(`${work.tool} is not here`);
  if (work.prepare !== undefined)
    execFileSync("/bin/sh", ["-c", work.prepare(context)], { stdio: ["ignore", "ignore", "ignore"] });
  const command = [process.execPath, join(toolsDir, work.tool), ...work.args(context)].map(shellQuote).join(" ");
  return { command, result: await runTool(command) };
}
