/** Compares what a store holds with what its client was told. Pure: the store was read before. */
import type { ChainLink } from "./store-body.ts";
import { type Fact, isSettled, type JudgedAttempt, judgedAttempts } from "./store-ledger.ts";
import { type Job, plannedItems, swapKey } from "./store-plan.ts";

/** An object as it was read. */
export interface StoredObject {
  readonly key: string;
  readonly putId: string | undefined;
  /** Which attempt's bytes it holds, whole; undefined when they are nobody's. */
  readonly bodyId: string | undefined;
  /** Of the swapped object. */
  readonly chain?: readonly ChainLink[] | undefined;
}

export interface StoreState {
  readonly objects: readonly StoredObject[];
  /** Keys of uploads that nobody ended; undefined where the store does not tell or they cannot be dropped. */
  readonly incompleteUploads: readonly string[] | undefined;
}

export interface JobDescription {
  readonly job: Job;
  readonly items: number;
  /** The client said that it is done. */
  readonly isFinal: boolean;
}

/** @returns what is wrong, one line each */
export function judgeStore(facts: readonly Fact[], state: StoreState, description: JobDescription): string[] {
  const attempts = judgedAttempts(facts);
  const objects = new Map(state.objects.map((object) => [object.key, object]));
  const misread = facts.flatMap((fact) => (fact.fact === "wrong-read" ? [`${fact.key}: a read gave other bytes`] : []));
  const { isFinal } = description;
  const left = isFinal ? (state.incompleteUploads ?? []).map((key) => `${key}: an upload was left incomplete`) : [];
  const own = description.job === "swap" ? judgeSwap : judgeItems;
  return [...misread, ...own(attempts, objects, description), ...left];
}

type Objects = ReadonlyMap<string, StoredObject>;

function judgeItems(
  attempts: readonly JudgedAttempt[],
  objects: Objects,
  { job, items, isFinal }: JobDescription,
): string[] {
  const planned = plannedItems(job as Exclude<Job, "swap">, items);
  const keys = new Set(planned.flatMap(({ key, from }) => (from === undefined ? [key] : [key, from])));
  const problems = [...objects.keys()].filter((key) => !keys.has(key)).map((key) => `${key}: nobody put it`);
  for (const key of keys) {
    const own = attempts.filter((attempt) => attempt.key === key);
    const writes = own.filter(({ verb }) => verb !== "delete");
    const deletes = own.filter(({ verb }) => verb === "delete");
    const object = objects.get(key);
    if (object === undefined) problems.push(...judgeAbsent(key, writes, deletes));
    else problems.push(...judgePresent(object, writes, deletes));
  }
  for (const { key, from } of planned) {
    const object = objects.get(key);
    const source = from === undefined ? object : objects.get(from);
    if (object !== undefined && from !== undefined && object.bodyId !== source?.bodyId) {
      problems.push(`${key}: holds other bytes than its source`);
    }
  }
  return isFinal ? [...problems, ...judgeFinished(planned, attempts, objects)] : problems;
}

function judgeAbsent(key: string, writes: readonly JudgedAttempt[], deletes: readonly JudgedAttempt[]): string[] {
  const owed = writes.find(isSettled);
  if (owed === undefined) return [];
  const excused = deletes.some(({ verdict }) => verdict !== "refused");
  if (excused) return [];
  const [refused] = deletes;
  if (refused === undefined) return [`${key}: lost, ${owed.id} was acknowledged`];
  return [`${key}: is gone, and its deletion was refused with ${refused.code}`];
}

function judgePresent(
  object: StoredObject,
  writes: readonly JudgedAttempt[],
  deletes: readonly JudgedAttempt[],
): string[] {
  const { key, putId, bodyId } = object;
  const at = writes.findIndex(({ id }) => id === putId);
  const writer = writes[at];
  if (writer === undefined) return [`${key}: has put id ${putId}, which nobody used for it`];
  const problems: string[] = [];
  if (bodyId === undefined) problems.push(`${key}: its bytes are not those of any put`);
  else if (writer.verb !== "copy" && bodyId !== putId) problems.push(`${key}: has bytes of ${bodyId}, and is ${putId}`);
  if (writer.verdict === "refused") problems.push(`${key}: ${putId} is there, and was refused with ${writer.code}`);
  const settled = writes.filter(isSettled);
  if (writer.verb === "put") {
    if (at < writes.findLastIndex(isSettled)) problems.push(`${key}: an older put came back over an acknowledged one`);
  } else {
    if (settled.length > 1) problems.push(`${key}: was created ${settled.length} times`);
    const lost = settled.find(({ id }) => id !== putId);
    if (lost !== undefined) problems.push(`${key}: ${lost.id} was acknowledged, and ${putId} is there`);
  }
  if (deletes.some(isSettled)) problems.push(`${key}: is there, and its deletion was acknowledged`);
  return problems;
}

function judgeFinished(
  planned: ReturnType<typeof plannedItems>,
  attempts: readonly JudgedAttempt[],
  objects: Objects,
): string[] {
  return planned.flatMap(({ key, fate }) => {
    const isThere = objects.has(key);
    if (isThere !== (fate === "keep")) return [`${key}: not finished: ${isThere ? "still there" : "missing"}`];
    const last = attempts.filter((attempt) => attempt.key === key && isSettled(attempt)).at(-1);
    const wanted = fate === "keep" ? last?.verb !== "delete" : last?.verb === "delete";
    return last !== undefined && wanted ? [] : [`${key}: not finished: the client knows nothing of it`];
  });
}

function judgeSwap(attempts: readonly JudgedAttempt[], objects: Objects, { items, isFinal }: JobDescription): string[] {
  const problems = [...objects.keys()].filter((key) => key !== swapKey).map((key) => `${key}: nobody put it`);
  const object = objects.get(swapKey);
  const settled = attempts.filter(isSettled);
  if (object === undefined) {
    if (settled.length > 0 || isFinal) problems.push(`${swapKey}: lost`);
    return problems;
  }
  const { chain, putId } = object;
  if (chain === undefined) return [...problems, `${swapKey}: its bytes are no chain`];
  const known = new Map(attempts.map((attempt) => [attempt.id, attempt]));
  for (const { item, id } of chain) {
    const attempt = known.get(id);
    if (attempt === undefined) problems.push(`${swapKey}: ${id} in the chain is nobody's`);
    else if (attempt.verdict === "refused")
      problems.push(`${swapKey}: ${id} (item ${item}) is in the chain, and was refused with ${attempt.code}`);
  }
  const linked = new Set(chain.map(({ id }) => id));
  for (const { id } of settled) {
    if (!linked.has(id)) problems.push(`${swapKey}: lost update, ${id} was acknowledged`);
  }
  const done = new Set(chain.map(({ item }) => item));
  if (done.size < chain.length) problems.push(`${swapKey}: an item is in the chain twice`);
  if (chain.at(-1)?.id !== putId) problems.push(`${swapKey}: has put id ${putId}, and ends with ${chain.at(-1)?.id}`);
  if (isFinal && done.size !== items) problems.push(`${swapKey}: not finished: ${done.size} of ${items} items`);
  return problems;
}
