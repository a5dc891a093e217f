/**
 * Preconditions on generations. https://cloud.google.com/storage/docs/request-preconditions
 * Pure: `check` is called in the same turn of the event loop as the change that it guards.
 */
import { ApiError, conditionNotMet, invalid } from "./api-error.ts";
import type { Query } from "./query.ts";

/** What a request asks of one object. Undefined asks nothing. */
export interface Conditions {
  /** "" or "Source": which of a copy's two objects, for messages. */
  readonly subject: "" | "Source";
  readonly generationMatch: bigint | undefined;
  readonly generationNotMatch: bigint | undefined;
  readonly metagenerationMatch: bigint | undefined;
  readonly metagenerationNotMatch: bigint | undefined;
}

/** The live object, as far as conditions see it. */
export interface Versions {
  readonly generation: bigint;
  readonly metageneration: bigint;
}

/** The query parameters that {@link parseConditions} reads. */
export function conditionNames(subject: "" | "Source"): string[] {
  return ["GenerationMatch", "GenerationNotMatch", "MetagenerationMatch", "MetagenerationNotMatch"].map(
    (name) => `if${subject}${name}`,
  );
}

/** @throws ApiError 400 when a pair that excludes each other is there */
export function parseConditions(query: Query, subject: "" | "Source" = ""): Conditions {
  const [generationMatch, generationNotMatch, metagenerationMatch, metagenerationNotMatch] = conditionNames(
    subject,
  ).map((name) => query.int64(name));
  if (generationMatch !== undefined && generationNotMatch !== undefined) throw bothOf(subject, "Generation");
  if (metagenerationMatch !== undefined && metagenerationNotMatch !== undefined) {
    throw bothOf(subject, "Metageneration");
  }
  return { subject, generationMatch, generationNotMatch, metagenerationMatch, metagenerationNotMatch };
}

function bothOf(subject: string, kind: string): ApiError {
  return invalid(`if${subject}${kind}Match and if${subject}${kind}NotMatch exclude each other.`);
}

/**
 * For anything that writes: 412 when a condition does not hold. Generation 0 stands for "no live object"; a condition
 * on a metageneration, or a NotMatch, does not hold without a live object.
 * @throws ApiError 412
 */
export function checkConditions(conditions: Conditions, live: Versions | undefined): void {
  const failed = failedCondition(conditions, live);
  if (failed !== undefined) throw conditionNotMet(`if${conditions.subject}${failed}`);
}

/**
 * For reads of an existing object: a NotMatch that does not hold is "not modified", with no body.
 * @throws ApiError 412, or 304 with an empty reason
 */
export function checkReadConditions(conditions: Conditions, live: Versions): void {
  const failed = failedCondition(conditions, live);
  if (failed === undefined) return;
  if (failed.endsWith("NotMatch")) throw new ApiError(304, "", "Not Modified");
  throw conditionNotMet(`if${conditions.subject}${failed}`);
}

function failedCondition(conditions: Conditions, live: Versions | undefined): string | undefined {
  const { generationMatch, generationNotMatch, metagenerationMatch, metagenerationNotMatch } = conditions;
  const generation = live?.generation ?? 0n;
  if (generationMatch !== undefined && generationMatch !== generation) return "GenerationMatch";
  if (metagenerationMatch !== undefined && metagenerationMatch !== live?.metageneration) return "MetagenerationMatch";
  if (generationNotMatch !== undefined && (live === undefined || generationNotMatch === generation)) {
    return "GenerationNotMatch";
  }
  if (metagenerationNotMatch !== undefined && (live === undefined || metagenerationNotMatch === live.metageneration)) {
    return "MetagenerationNotMatch";
  }
  return undefined;
}
