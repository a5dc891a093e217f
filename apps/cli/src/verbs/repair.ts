import { repairLog, type RepairReport, type VerifyProblem, type VerifyReport } from "@varve/aof";
import type { Arguments } from "../arguments.ts";
import { CliError, usageError } from "../cli-error.ts";
import { assertDirectory, namesIn } from "../directory.ts";
import { shellWord } from "../next-step.ts";
import { formatCount } from "../values/size.ts";
import { idRange } from "../values/words.ts";
import { logDirectory, type Shell, type Verb } from "../verb.ts";
import { exitCodeOfReport, noteNextStep, problemText, verifyWithProgress } from "./verify.ts";

const modes = ["truncate-torn-tail", "salvage"] as const;
type Mode = (typeof modes)[number];

export const repair: Verb = {
  name: "repair",
  summary: "make a log that no process writes fit to be opened",
  operands: [logDirectory],
  options: [
    {
      name: "mode",
      value: "MODE",
      meaning:
        "truncate-torn-tail (default): cut what a crash left unfinished, refuse damage; salvage: give up what cannot be read as well",
    },
    { name: "yes", short: "y", meaning: "do not ask before a salvage" },
  ],
  notes: [
    "truncate-torn-tail does what every open for writing does: nothing that was acknowledged as durable is cut, and the cut bytes are kept in a .broken file beside the log.",
    "salvage loses records for good: the ones that cannot be read are marked as lost and keep their ids, the damaged files are kept as .broken files. Restore from a copy if you have one. It asks first; in a script say --yes.",
    "It takes the log's lock. Exit code 0: the log is fit to be opened and read, marks aside. 5: damage is left.",
  ],
  examples: [
    { does: "tidy up after a crash", command: "varve repair logs/orders" },
    { does: "keep what can be read", command: "varve repair logs/orders --mode salvage" },
  ],
  run: runRepair,
};

async function runRepair(args: Arguments, shell: Shell): Promise<number> {
  const dir = args.operand("dir");
  const mode = parseMode(args.text("mode"));
  await assertDirectory(dir);
  if (mode === "salvage" && !args.has("yes")) await confirmSalvage(args, shell, dir);
  const before = await brokenFiles(dir);
  const report = await repairLog({ dir, mode });
  const kept = (await brokenFiles(dir)).filter((name) => !before.includes(name));
  await shell.output.write(args.has("json") ? `${JSON.stringify({ ...report, kept })}\n` : reportText(report, kept));
  const left = remainingProblems(report, mode);
  if (left.problems.length > 0) noteNextStep(left, dir, shell);
  return exitCodeOfReport(left);
}

/**
 * What still stands in the way. A salvage that went through left nothing unreadable: the damaged records that a reading
 * afterwards reports are its own marks, or those of one before it.
 */
function remainingProblems({ verify }: RepairReport, mode: Mode): VerifyReport {
  if (mode !== "salvage") return verify;
  return { ...verify, problems: verify.problems.filter(({ code }) => code !== "CORRUPTED_RECORD") };
}

function parseMode(text: string | undefined): Mode {
  const mode = modes.find((known) => known === (text ?? modes[0]));
  if (mode === undefined) throw usageError(`--mode: got ${JSON.stringify(text)}, want ${modes.join(" or ")}`);
  return mode;
}

/** Shows what a salvage would give up and asks. @throws CliError `NOT_CONFIRMED` */
async function confirmSalvage(args: Arguments, shell: Shell, dir: string): Promise<void> {
  const { input, notes } = shell;
  const command = `varve repair ${shellWord(dir)} --mode salvage --yes`;
  if (args.has("json") || !notes.isTerminal || !input.isTerminal) {
    throw new CliError("NOT_CONFIRMED", "a salvage gives up records for good and there is nobody to ask", {
      hint: `See what is damaged with varve verify ${shellWord(dir)}; then: ${command}`,
    });
  }
  const found = await verifyWithProgress(dir, shell);
  for (const problem of found?.problems ?? []) notes.line(problemText(problem));
  notes.line("A salvage marks the records that cannot be read as lost and keeps the damaged files as .broken files.");
  notes.ask("Go on? Type yes: ");
  if ((await input.line()) !== "yes")
    throw new CliError("NOT_CONFIRMED", "nothing was changed", { hint: `When you are sure: ${command}` });
}

/** What recoveries kept aside, this one's and earlier ones'. */
async function brokenFiles(dir: string): Promise<string[]> {
  return (await namesIn(dir)).filter((name) => name.includes(".broken-"));
}

function reportText({ recovery, verify }: RepairReport, kept: readonly string[]): string {
  const { messages, lost } = recovery;
  const lostRecords = lost.reduce((sum, range) => sum + range.lastId - range.firstId + 1, 0);
  const didNothing = messages.length === 0 && lost.length === 0 && kept.length === 0;
  const isNews = ({ recordId = 0 }: VerifyProblem): boolean =>
    !lost.some((range) => recordId >= range.firstId && recordId <= range.lastId);
  const holds = verify.ok || lostRecords > 0 ? "the log holds" : "what can be read:";
  const marked = lostRecords === 0 ? "" : `, ${formatCount(lostRecords)} of them lost`;
  const lines = [
    ...(didNothing ? ["there was nothing to cut or to tidy up"] : messages),
    ...kept.map((name) => `kept: ${name}`),
    ...verify.problems.filter(isNews).map(problemText),
    verify.records === 0 ? "the log holds no records" : `${holds} ${idRange(verify.firstId, verify.lastId)}${marked}`,
  ];
  return `${lines.join("\n")}\n`;
}
