import { Aof, type AofSettings, isAofError } from "@varve/aof";
import type { Random } from "@varve/fs-core";
import { checkLog, type LogContent } from "./check-log.ts";

/** What the oracle gets to judge, in the contract's own form. */
export interface Answer {
  readonly ids: readonly string[];
  readonly reports: readonly string[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** Opens the log for writing, recovery included, reads all of it, and closes it. @throws whatever is not a typed refusal */
export async function verifyDirectory(settings: AofSettings, random: Random): Promise<Answer> {
  let log: Aof;
  try {
    log = await Aof.open(settings);
  } catch (error) {
    return refusal(error, []);
  }
  const reports = log.recovery.messages;
  let content: LogContent;
  try {
    content = await checkLog(log, random);
  } finally {
    await log.close();
  }
  if (content.error !== undefined) return refusal(content.error, reports);
  return { ids: content.ids, reports, error: null };
}

function refusal(error: unknown, reports: readonly string[]): Answer {
  if (!isAofError(error)) throw error;
  return { ids: [], reports, error: { code: error.code, message: error.message.replaceAll("\n", "; ") } };
}
