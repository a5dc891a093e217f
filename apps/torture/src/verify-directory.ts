/**
 * One directory in, one answer out: what a log holds after recovery, along every path, or a typed refusal.
 *
 * The thorough form also looks at the directory without changing it, before and after: a read-only open must never
 * show bytes that recovery then denies, and what recovery leaves must pass `verifyLog` and read the same.
 */
import { Aof, type AofSettings, isAofError, openReadOnly, verifyLog } from "@varve/aof";
import type { Random } from "@varve/fs-core";
import { checkLog, checkReadOnly, type LogContent, Seen } from "./check-log.ts";
import { keyProvider } from "./keys.ts";
import { cursorName } from "./record-identity.ts";
import { brokenPromises, type Promises } from "./promises.ts";

/** What the oracle gets to judge, in the contract's own form. */
export interface Answer {
  readonly ids: readonly string[];
  readonly reports: readonly string[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface Verification {
  readonly settings: AofSettings;
  readonly random: Random;
  readonly isThorough: boolean;
  /** What was appended before the oracle began to listen: those records are checked here and kept from it. */
  readonly before?: Promises | undefined;
}

/** @throws whatever is not a typed refusal, and Error when two paths disagree */
export async function verifyDirectory({ settings, random, isThorough, before }: Verification): Promise<Answer> {
  const reports: string[] = [];
  try {
    const seen = new Seen();
    if (isThorough) await lookBefore(settings.dir, seen);
    const log = await Aof.open(settings, { keyProvider });
    let content: LogContent;
    try {
      reports.push(...log.recovery.messages);
      content = await checkLog(log, random, seen);
      // A salvage gives up cursors and what cannot be read.
      if (settings.recovery !== "salvage") content.ids.push(...brokenFloors(log, content));
    } finally {
      await log.close();
    }
    if (content.error !== undefined) throw content.error;
    if (isThorough && settings.recovery !== "salvage") await lookAfter(settings.dir, content, seen);
    return { ids: before === undefined ? content.ids : withoutKnown(content.ids, before), reports, error: null };
  } catch (error) {
    if (!isAofError(error)) throw error;
    return { ids: [], reports, error: { code: error.code, message: error.message.replaceAll("\n", "; ") } };
  }
}

/**
 * What the records say was acknowledged before them and is not so any more, as ids that nobody appended: a cursor that
 * went back, a trim that was undone, a cursor in front of the log's end.
 */
function brokenFloors(log: Aof, { floors }: LogContent): string[] {
  const broken: string[] = [];
  if (log.firstId < floors.firstId) broken.push(`trimmed-to-${floors.firstId}-and-back-at-${log.firstId}`);
  const cursor = log.cursors().find(({ name }) => name === cursorName);
  const position = cursor?.position ?? 0;
  if (position < floors.cursor) broken.push(`cursor-at-${position}-was-at-${floors.cursor}`);
  if (position > log.lastId) broken.push(`cursor-at-${position}-beyond-${log.lastId}`);
  return broken;
}

/** What the oracle did not see, and in place of each record of it that is owed and missing an id that nobody appended. */
function withoutKnown(ids: readonly string[], before: Promises): string[] {
  const known = new Set(before.tried);
  const found = ids.filter((id) => known.has(id));
  const broken = brokenPromises(before, found, before.visible).map(
    (sentence) => `before:${sentence.replaceAll(" ", "-")}`,
  );
  return [...ids.filter((id) => !known.has(id)), ...broken];
}

/** Whatever a crash left, these two may refuse or complain, but not fail in another way. */
async function lookBefore(dir: string, seen: Seen): Promise<void> {
  try {
    await verifyLog({ dir });
    const log = await openReadOnly({ dir }, { keyProvider });
    try {
      await checkReadOnly(log, seen);
    } finally {
      await log.close();
    }
  } catch (error) {
    if (!isAofError(error)) throw error;
  }
}

/** @throws AofError the first problem */
async function lookAfter(dir: string, content: LogContent, seen: Seen): Promise<void> {
  const log = await openReadOnly({ dir }, { keyProvider });
  try {
    const count = await checkReadOnly(log, seen);
    if (count !== content.records) throw new Error(`a read-only open shows ${count} records of ${content.records}`);
  } finally {
    await log.close();
  }
  const { problems } = await verifyLog({ dir });
  const [first] = problems;
  if (first !== undefined) throw Object.assign(new Error(first.message), { name: "AofError", code: first.code });
}
