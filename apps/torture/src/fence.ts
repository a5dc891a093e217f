/**
 * Two writers of one log, the first of them frozen when the second takes the log over, then thawed. The first must
 * end with `FENCED`, acknowledge nothing from then on, and leave what the second wrote as it is.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { SeededRandom } from "@varve/fs-core/testing";
import { type CampaignRun, type RunContext, shellQuote, type ToolResult } from "./campaign.ts";
import { Child } from "./child.ts";
import { brokenPromises, parsePromises } from "./promises.ts";
import { type Answer, verifyDirectory } from "./verify-directory.ts";

export function fenceRun(first: string, second: string): CampaignRun {
  return {
    campaign: "fence",
    configuration: `${first}, taken over by ${second}`,
    inSample: true,
    work: { own: (context) => fence(first, second, context) },
  };
}

async function fence(first: string, second: string, context: RunContext): Promise<ToolResult> {
  const rounds = context.isSample ? 3 : 40;
  const random = new SeededRandom(context.seed);
  const failures: string[] = [];
  for (let round = 1; round <= rounds && failures.length === 0; round++) {
    const dir = join(context.keepDir, `round-${round}`);
    mkdirSync(dir, { recursive: true });
    const problems = await fenceOnce(
      context.writer(`${shellQuote(dir)} ${first} --seed ${round}`),
      context.writer(`${shellQuote(dir)} ${second} --announce --take-over --seed ${round + rounds}`),
      dir,
      random,
    );
    failures.push(...problems.map((problem) => `round ${round}: ${problem}`));
  }
  return { passed: failures.length === 0, counts: { rounds }, failures };
}

async function fenceOnce(first: string, second: string, dir: string, random: SeededRandom): Promise<string[]> {
  const frozen = new Child(first);
  const enough = 1 + random.int(120);
  await frozen.until((stdout) => stdout.split("\n").length > enough);
  frozen.signal("SIGSTOP");
  const usurper = new Child(second);
  const usurped = await usurper.ended;
  frozen.signal("SIGCONT");
  const end = await frozen.ended;

  const problems: string[] = [];
  if (usurped.code !== 0)
    problems.push(`the second writer ended with ${usurped.code ?? usurped.signal}: ${usurper.stderr}`);
  if (end.code !== 1 || !frozen.stderr.startsWith("FENCED: ")) {
    problems.push(`the first writer ended with ${end.code ?? end.signal}: ${frozen.stderr}`);
  }
  const answer = await verify(dir);
  if (answer.error !== null) return [...problems, `${answer.error.code}: ${answer.error.message}`];
  // The second writer announced what it found, so its lines alone say what the log has to hold and in which order;
  // whatever the first acknowledged, at any time, has to be among it.
  const promises = parsePromises(usurper.stdout);
  const owed = new Set([...promises.durable, ...parsePromises(frozen.stdout).durable]);
  return [...problems, ...brokenPromises(promises, answer.ids, owed)];
}

function verify(dir: string): Promise<Answer> {
  const settings = { dir, indexKind: "file", bufferBytes: 65536, segmentSizeBytes: 4096 } as const;
  return verifyDirectory({ settings, random: new SeededRandom(1), isThorough: true });
}
