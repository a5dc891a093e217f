/** What a write was asked to do, checked before anything is sent. */
import type { Random } from "../random.ts";
import type { CopyOptions, PutOptions, UploadOptions, WriteCondition } from "./object-store.ts";
import type { ResolvedStoreSettings } from "./store-settings.ts";
import type { StoreCapabilities } from "./store-capabilities.ts";
import { StoreError } from "./store-error.ts";
import { metadataProblems, putIdPattern } from "./stored-metadata.ts";

/** Checked and filled in. */
export interface WriteRequest {
  readonly condition: WriteCondition;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly putId: string;
  /** What the caller says the bytes have. */
  readonly checksum: bigint | undefined;
}

/** Checked and filled in. */
export interface UploadRequest extends WriteRequest {
  readonly partBytes: number;
  readonly concurrency: number;
}

/** @throws StoreError `INVALID_ARGUMENT` with every problem, `UNSUPPORTED` */
function writeRequest(
  operation: string,
  options: PutOptions,
  capabilities: StoreCapabilities,
  random: Random,
): WriteRequest {
  const problems = [...conditionProblems(options), ...contentProblems(options, capabilities)];
  refuse(operation, problems);
  return {
    condition: conditionOf(options),
    metadata: { ...options.metadata },
    contentType: options.contentType ?? "application/octet-stream",
    putId: options.putId ?? newPutId(random),
    checksum: options.checksum,
  };
}

/** @throws StoreError `INVALID_ARGUMENT` with every problem */
export function uploadRequest(
  operation: string,
  options: UploadOptions,
  capabilities: StoreCapabilities,
  random: Random,
  settings: ResolvedStoreSettings,
): UploadRequest {
  const { partBytes = settings.partBytes, concurrency = settings.concurrency } = options;
  const problems = [...conditionProblems(options), ...contentProblems(options, capabilities)];
  if (!isWhole(partBytes, 1, capabilities.limits.partBytesMax)) {
    problems.push(`partBytes: got ${partBytes}, want a whole number in 1..${capabilities.limits.partBytesMax}`);
  }
  if (!isWhole(concurrency, 1, 64)) problems.push(`concurrency: got ${concurrency}, want a whole number in 1..64`);
  refuse(operation, problems);
  return {
    ...writeRequest(operation, options, capabilities, random),
    partBytes,
    concurrency: capabilities.parallelParts ? concurrency : 1,
  };
}

/** @throws StoreError `INVALID_ARGUMENT`, `UNSUPPORTED` */
export function copyCondition(operation: string, options: CopyOptions, isSupported: boolean): WriteCondition {
  const problems = conditionProblems(options);
  if (options.putId !== undefined && !putIdPattern.test(options.putId)) problems.push(putIdProblem);
  refuse(operation, problems);
  const condition = conditionOf(options);
  if ((condition.ifAbsent === true || condition.ifMatch !== undefined) && !isSupported) {
    throw new StoreError("UNSUPPORTED", `${operation}: this store does not copy on condition`, { operation });
  }
  return condition;
}

/** @throws StoreError `UNSUPPORTED` */
export function assertCondition(operation: string, condition: WriteCondition, can: ConditionSupport): void {
  if (condition.ifAbsent === true && !can.ifAbsent) {
    throw new StoreError("UNSUPPORTED", `${operation}: this store does not take ifAbsent here`, { operation });
  }
  if (condition.ifMatch !== undefined && !can.ifMatch) {
    throw new StoreError("UNSUPPORTED", `${operation}: this store does not take ifMatch here`, { operation });
  }
}

/** Which conditions the completion of an upload in parts takes. */
export function uploadSupport(capabilities: StoreCapabilities): ConditionSupport {
  const { completeIfAbsent, putIfMatch, completeIfMatch = putIfMatch } = capabilities;
  return { ifAbsent: completeIfAbsent, ifMatch: completeIfMatch };
}

/** Which conditions a request takes. */
export interface ConditionSupport {
  readonly ifAbsent: boolean;
  readonly ifMatch: boolean;
}

/** 128 random bits. */
export function newPutId(random: Random): string {
  return Buffer.from(random.fill(new Uint8Array(16))).toString("hex");
}

/** As long as a media type gets, and short enough for every store. */
const contentTypeCharsMax = 255;

const putIdProblem = "putId: want 32 hexadecimal digits in lower case";

function conditionOf({ ifAbsent, ifMatch }: WriteCondition): WriteCondition {
  if (ifAbsent === true) return { ifAbsent };
  return ifMatch === undefined ? {} : { ifMatch };
}

function conditionProblems({ ifAbsent, ifMatch }: WriteCondition): string[] {
  const problems: string[] = [];
  if (ifAbsent !== undefined && typeof ifAbsent !== "boolean") problems.push("ifAbsent: want true or false");
  if (ifMatch !== undefined && (typeof ifMatch !== "string" || ifMatch === "")) {
    problems.push("ifMatch: want a version that the store gave");
  }
  if (ifAbsent === true && ifMatch !== undefined) problems.push("ifAbsent and ifMatch exclude each other");
  return problems;
}

function contentProblems(options: PutOptions, { limits }: StoreCapabilities): string[] {
  const { metadata, contentType, checksum, putId } = options;
  const problems: string[] = [];
  if (metadata !== undefined) {
    // Of a Map or Headers no name would be found, and nothing stored.
    if (Object.prototype.toString.call(metadata) !== "[object Object]")
      problems.push("metadata: want an object of texts");
    else problems.push(...metadataProblems(metadata, limits.metadataBytesMax));
  }
  if (contentType !== undefined && !isMediaType(contentType)) {
    problems.push(`contentType: want a media type of at most ${contentTypeCharsMax} characters of printable ASCII`);
  }
  if (checksum !== undefined && (typeof checksum !== "bigint" || checksum < 0n || checksum >> 64n !== 0n)) {
    problems.push("checksum: want a bigint of 64 bits, a CRC-64/NVME");
  }
  if (putId !== undefined && !putIdPattern.test(putId)) problems.push(putIdProblem);
  return problems;
}

function isMediaType(value: unknown): boolean {
  if (typeof value !== "string" || value.length > contentTypeCharsMax) return false;
  return /^[ -~]+$/.test(value) && value === value.trim();
}

function isWhole(value: unknown, from: number, to: number): boolean {
  return Number.isInteger(value) && (value as number) >= from && (value as number) <= to;
}

/** @throws StoreError `INVALID_ARGUMENT` when there are any */
export function refuse(operation: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new StoreError("INVALID_ARGUMENT", `${operation}: ${problems.join("; ")}`, { operation });
}
