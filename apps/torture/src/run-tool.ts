/** Runs one fault tool and reads its answer. */
import { Child } from "./child.ts";
import type { ToolResult } from "./campaign.ts";

/** @param command for `/bin/sh` */
export async function runTool(command: string): Promise<ToolResult> {
  const child = new Child(command);
  const { code, signal } = await child.ended;
  const verdict = /^RESULT: (PASS|FAIL)$/m.exec(child.stdout)?.[1];
  const failures = verdict === undefined ? [] : failureLines(child.stdout);
  if (verdict === undefined || (code === 0) !== (verdict === "PASS")) {
    const end = `${child.stdout}${child.stderr}`.trim().split("\n").slice(-5).join(" | ");
    failures.push(`the tool ended with ${code ?? signal} and ${verdict ?? "no verdict"}: ${end}`);
  }
  // The recorder saw less than what happened: what follows from its trace is worth nothing.
  const differs = /^model check: DIFFERS.*$/m.exec(child.stdout)?.[0];
  if (differs !== undefined && !onlyLockTableDiffers.test(differs)) failures.push(differs);
  return { passed: verdict === "PASS" && failures.length === 0, counts: countsOf(child.stdout), failures };
}

/** lmdb writes its table of readers through shared memory, unseen; nothing in it matters, and every open begins it anew. */
const onlyLockTableDiffers = / in index\/lock\.mdb \(/;

/** The tools mark a failure with ` - ` or `FAIL round`, and may add indented lines. */
export function failureLines(stdout: string): string[] {
  const failures: string[] = [];
  for (const line of stdout.split("\n")) {
    if (/^ - |^FAIL round /.test(line)) failures.push(line.trim());
    else if (/^ {5}\S/.test(line) && failures.length > 0) failures.push(`${failures.pop()} ${line.trim()}`);
  }
  return failures;
}

/** Whatever the tools count, under one name for each thing. */
export function countsOf(stdout: string): Record<string, number> {
  const counts: Record<string, number> = {};
  const totals = /^totals: (\{.*\})$/m.exec(stdout)?.[1];
  if (totals !== undefined) Object.assign(counts, JSON.parse(totals));
  const loop = /^(\{"rounds".*\})$/m.exec(stdout)?.[1];
  if (loop !== undefined) {
    const { rounds, kills, terms, rivals, verifierKills } = JSON.parse(loop) as Record<string, number>;
    Object.assign(counts, { rounds, kills, terms, rivals, verifierKills });
  }
  const runs = /^(\d+) runs$/m.exec(stdout)?.[1];
  if (runs !== undefined) counts["runs"] = Number(runs);
  const copies = /^(\d+) damaged copies/m.exec(stdout)?.[1];
  if (copies !== undefined) counts["copies"] = Number(copies);
  const memory = /peak memory (\d+) MiB/.exec(stdout)?.[1];
  if (memory !== undefined) counts["peakMiB"] = Number(memory);
  return counts;
}
