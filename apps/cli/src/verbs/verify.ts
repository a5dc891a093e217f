import { isAofError, verifyLog, type VerifyProblem, type VerifyReport } from "@varve/aof";
import type { Arguments } from "../arguments.ts";
import { assertDirectory } from "../directory.ts";
import { exitCode, exitCodeOf } from "../exit-codes.ts";
import { nextStep } from "../next-step.ts";
import { formatSize } from "../values/size.ts";
import { countOf, idRange } from "../values/words.ts";
import { logDirectory, type Shell, type Verb } from "../verb.ts";

export const verify: Verb = {
  name: "verify",
  summary: "read every byte and list the damage",
  operands: [logDirectory],
  options: [],
  notes: [
    "Nothing is changed and no lock is taken, so it may run beside a writer. It ends with 0 when all is well, with 5 when something that was durable is damaged, with 3 or 4 when it met only newer formats or unreadable files.",
    "Notes are harmless: what the next open for writing tidies up.",
  ],
  examples: [
    { does: "check a log", command: "varve verify logs/orders" },
    { does: "every problem, one a line", command: "varve verify logs/orders --json | jq -c '.problems[]'" },
  ],
  run: runVerify,
};

async function runVerify(args: Arguments, shell: Shell): Promise<number> {
  const dir = args.operand("dir");
  await assertDirectory(dir);
  shell.stop.listen();
  const report = await verifyWithProgress(dir, shell);
  // Stopped half-way: what was seen says nothing about the rest.
  if (report === undefined) return exitCode.ok;
  await shell.output.write(args.has("json") ? `${JSON.stringify(report)}\n` : reportText(report));
  noteNextStep(report, dir, shell);
  return exitCodeOfReport(report);
}

/** Says what to do about the first problem, if there is one. */
export function noteNextStep({ problems: [first] }: VerifyReport, dir: string, { notes }: Shell): void {
  const next = first === undefined ? undefined : nextStep(first.code, { verb: "verify", dir, earliestId: undefined });
  if (next !== undefined) notes.line(`Next: ${next}`);
}

/** @returns undefined when a signal ended it */
export async function verifyWithProgress(dir: string, { notes, stop }: Shell): Promise<VerifyReport | undefined> {
  try {
    return await verifyLog(
      { dir },
      {
        signal: stop.signal,
        onProgress: ({ segment, bytesDone, bytesTotal }) =>
          notes.progress(
            bytesDone,
            bytesTotal,
            () => `${formatSize(bytesDone)} of ${formatSize(bytesTotal)}, ${segment}`,
          ),
      },
    );
  } catch (error) {
    if (stop.signal.aborted && isAofError(error) && error.code === "ABORTED") return undefined;
    throw error;
  } finally {
    notes.clearProgress();
  }
}

/** The gravest kind of problem decides: damage before what could not be judged. */
export function exitCodeOfReport({ problems }: VerifyReport): number {
  const codes = problems.map((problem) => exitCodeOf(problem.code));
  return codes.includes(exitCode.damaged) ? exitCode.damaged : (codes[0] ?? exitCode.ok);
}

export function problemText({ code, message }: VerifyProblem): string {
  return `problem: ${message} [${code}]`;
}

function reportText(report: VerifyReport): string {
  const { ok, problems, notes, records, segments, bytes, firstId, lastId } = report;
  const held = records === 0 ? "no records" : `${countOf(records, "record")}, ${idRange(firstId, lastId)}`;
  const files = `${formatSize(bytes)} in ${countOf(segments, "segment")}`;
  const lines = [
    ...problems.map(problemText),
    ...notes.map((note) => `note: ${note}`),
    `${ok ? "ok" : countOf(problems.length, "problem")}: ${held}, ${files}`,
  ];
  return `${lines.join("\n")}\n`;
}
