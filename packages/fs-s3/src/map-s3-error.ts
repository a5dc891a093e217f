/**
 * What S3, a server that speaks its protocol, or the way to it said, as a {@link StoreError}. The vendor's code decides; the
 * status decides where there is none, as in answers to HEAD and of proxies. This is the only place that looks into errors
 * of the SDK.
 */
import { describeCause, StoreError, type StoreOutcome, withoutQueries } from "@varve/fs-core";
import { elsewhere, type Meaning, meanings, unauthenticated } from "./s3-error-codes.ts";

/** The request that failed. */
export interface FailedRequest {
  readonly operation: string;
  readonly key?: string;
  readonly bucket: string;
  /** Whether it could change anything. */
  readonly isWrite: boolean;
  /** The conditions that it carried. */
  readonly ifAbsent?: boolean | undefined;
  readonly ifMatch?: string | undefined;
}

/** The parts of an SDK's error that are read. */
interface Failure {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly syscall?: unknown;
  /** Of an error that stands for several: one for each address that was tried. */
  readonly errors?: unknown;
  readonly cause?: unknown;
  readonly Condition?: unknown;
  readonly Region?: unknown;
  /** Only in errors that were made from an answer. */
  readonly $fault?: unknown;
  readonly $metadata?: {
    readonly httpStatusCode?: number;
    readonly requestId?: string;
    readonly extendedRequestId?: string;
    readonly clockSkewCorrected?: boolean;
  };
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
}

/** Nobody heard the request. A code alone does not tell: a host may become unreachable while its answer is awaited. */
const unsentSyscalls = new Set(["connect", "bind", "getaddrinfo"]);

/** What TLS refuses before a request is sent: certificates, and versions and ciphers that do not fit. */
const handshakeCode = /CERT|SELF_SIGNED|VERIFY|ERR_TLS|VERSION|PROTOCOL|HANDSHAKE|CIPHER/;

/** @throws nothing */
export function mapS3Error(thrown: unknown, request: FailedRequest): StoreError {
  const failure = (typeof thrown === "object" && thrown !== null ? thrown : {}) as Failure;
  const status = failure.$metadata?.httpStatusCode ?? failure.$response?.statusCode;
  const vendorCode = status === undefined ? undefined : vendorCodeOf(failure);
  const meaning =
    status === undefined ? unansweredMeaning(failure) : answeredMeaning(failure, status, vendorCode, request);
  const retryAfterMs = retryAfterOf(failure.$response?.headers);
  const head = status === undefined ? [] : [`S3 answered ${[status, vendorCode].filter(Boolean).join(" ")}`];
  const said = saidOf(failure, thrown, status, vendorCode);
  return new StoreError(meaning.code, [...head, said, meaning.advice].filter(Boolean).join(": "), {
    operation: request.operation,
    outcome: request.isWrite ? (meaning.outcome ?? outcomeOf(meaning, status)) : "none",
    cause: describeCause(cleanError(thrown, 4)),
    ...(request.key === undefined ? {} : { key: request.key }),
    ...(meaning.retryable === undefined ? {} : { retryable: meaning.retryable }),
    ...(status === undefined ? {} : { status }),
    ...(vendorCode === undefined ? {} : { vendorCode }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...requestIdOf(failure),
  });
}

/** Whether the store said which of several conditions does not hold. AWS does; MinIO and others do not. */
export function namesCondition(thrown: unknown): boolean {
  return typeof (Object(thrown) as Failure).Condition === "string";
}

/** A server that failed may have done it first, and so may the one behind a gateway that asks for fewer requests. */
function outcomeOf({ code }: Meaning, status: number | undefined): StoreOutcome {
  const isRefusal = code !== "THROTTLED" && code !== "UNAVAILABLE";
  return isRefusal || status === undefined || status < 500 ? "none" : "unknown";
}

/** Words that come with a status from 500 where they are an answer of their own. */
const failures = new Set(["InternalError", "ServiceUnavailable", "SlowDown", "SlowDownWrite"]);

/** One line of the answer to DeleteObjects. */
export function mapDeleteFailure(
  entry: { readonly Code?: string | undefined; readonly Message?: string | undefined },
  request: FailedRequest,
): StoreError {
  const { Code: name = "InternalError", Message: message = "" } = entry;
  // The answer as a whole had status 200; what is meant is in the code.
  const status = failures.has(name) ? 503 : 200;
  return mapS3Error({ name, message, $fault: "client", $metadata: { httpStatusCode: status } }, request);
}

function answeredMeaning(
  failure: Failure,
  status: number,
  vendorCode: string | undefined,
  request: FailedRequest,
): Meaning {
  switch (vendorCode) {
    case "NoSuchBucket":
      return { code: "NOT_FOUND", advice: `there is no bucket ${request.bucket}` };
    case "NoSuchKey":
      // For a write with `ifMatch`, none is another version than the one wanted; a copy's source has no such excuse.
      return { code: request.ifMatch !== undefined && request.isWrite ? "VERSION_MISMATCH" : "NOT_FOUND" };
    case "PreconditionFailed":
      return preconditionMeaning(failure, request);
    case "NoSuchUpload":
      // Perhaps because an earlier attempt completed it.
      return { code: "NOT_FOUND", outcome: request.operation === "completeUpload" ? "unknown" : "none" };
    case "RequestTimeTooSkewed":
      // The SDK takes over the store's time from this answer: what it signs next may be good.
      return { ...meanings.get(vendorCode), code: "UNAUTHENTICATED", retryable: isSkewCorrected(failure) };
    default:
  }
  const known = vendorCode === undefined ? undefined : meanings.get(vendorCode);
  if (known === elsewhere || (status >= 300 && status < 400)) return regionMeaning(failure);
  return known ?? statusMeaning(failure, status, vendorCode, request);
}

function statusMeaning(
  failure: Failure,
  status: number,
  vendorCode: string | undefined,
  request: FailedRequest,
): Meaning {
  // Without a code it may not be the store who answered, and another may have passed the request on.
  const outcome = vendorCode === undefined ? "unknown" : "none";
  switch (status) {
    case 400:
      return request.isWrite || vendorCode !== undefined
        ? { code: "INVALID_ARGUMENT", outcome }
        : {
            code: "INVALID_ARGUMENT",
            outcome,
            advice: "no reason came with it; often a wrong region or an expired token",
          };
    case 401:
      return { ...unauthenticated, outcome };
    case 403:
      return { code: "PERMISSION_DENIED", outcome };
    case 404:
      // Answers to HEAD have no words; a gateway that does not know the way has others than S3.
      if (!request.isWrite && request.operation !== "head" && vendorCode === undefined) return { code: "UNAVAILABLE" };
      return { code: request.ifMatch !== undefined && request.isWrite ? "VERSION_MISMATCH" : "NOT_FOUND", outcome };
    case 405:
    case 501:
      return { code: "UNSUPPORTED", outcome };
    case 409:
      return { code: "CONFLICT", outcome };
    case 412:
      return preconditionMeaning(failure, request);
    case 413:
      return { code: "TOO_LARGE", outcome };
    case 416:
      return { code: "INVALID_RANGE", outcome };
    case 429:
      return { code: "THROTTLED", outcome };
    case 507:
      return { code: "NO_SPACE", outcome };
    default:
      // "An InternalError might have been processed", says AWS; a 200 that could not be read may well have been.
      if (status >= 500 || status < 300) return { code: "UNAVAILABLE", outcome: "unknown" };
      return { code: "IO", outcome };
  }
}

function preconditionMeaning({ Condition: condition }: Failure, request: FailedRequest): Meaning {
  if (typeof condition === "string" && /copy-source|rename-source/i.test(condition))
    return { code: "VERSION_MISMATCH" };
  return { code: request.ifAbsent === true ? "ALREADY_EXISTS" : "VERSION_MISMATCH" };
}

function regionMeaning(failure: Failure): Meaning {
  const named = failure.$response?.headers?.["x-amz-bucket-region"] ?? failure.Region;
  const region = typeof named === "string" && /^[a-z0-9-]{1,40}$/.test(named) ? named : undefined;
  const advice = region === undefined ? "set the region, or the endpoint, of the bucket" : `set region to ${region}`;
  return { code: "INVALID_ARGUMENT", advice };
}

/** No answer, or none that the SDK could make out. */
function unansweredMeaning(failure: Failure): Meaning {
  const { name, code, message } = failure;
  const text = typeof message === "string" ? message : "";
  if (typeof name === "string" && /CredentialsProviderError|TokenProviderError/.test(name)) {
    return isPassing(failure, 4) ? { code: "UNAVAILABLE", advice: "who gives credentials failed" } : unauthenticated;
  }
  if (/^Could not load credentials|^Resolved credential object is not valid/.test(text)) return unauthenticated;
  if (text === "Region is missing") return { code: "INVALID_ARGUMENT", advice: "set region, or AWS_REGION" };
  if (typeof code !== "string") return { code: "UNAVAILABLE", outcome: "unknown" };
  if (isUnsent(failure)) return { code: "UNAVAILABLE" };
  if (handshakeCode.test(code)) return { code: "UNAVAILABLE", retryable: false, advice: tlsAdvice };
  // In a connection that was made, a record may come damaged after the request was carried out.
  if (code === "EPROTO") return { code: "UNAVAILABLE", outcome: "unknown", retryable: false, advice: tlsAdvice };
  if (/^ERR_(?:INVALID|UNESCAPED|HTTP_INVALID)/.test(code)) return { code: "INVALID_ARGUMENT" };
  return { code: "UNAVAILABLE", outcome: "unknown" };
}

/** Whether the identity service, or the way to it, failed: nobody has to see to the credentials then. */
function isPassing({ code, $metadata: metadata, cause }: Failure, depth: number): boolean {
  const status = metadata?.httpStatusCode ?? 0;
  if (status >= 500 || status === 429 || (typeof code === "string" && networkCode.test(code))) return true;
  return depth > 0 && typeof cause === "object" && cause !== null && isPassing(cause, depth - 1);
}

const networkCode = /^E(?:AI_AGAIN|CONN[A-Z]+|HOST[A-Z]+|NET[A-Z]+|NOTFOUND|PIPE|TIMEDOUT)$/;

const tlsAdvice = "the endpoint does not speak TLS as it should";

/** Whether no connection came about. */
function isUnsent({ syscall, errors }: Failure): boolean {
  if (Array.isArray(errors) && errors.length > 0) return errors.every((error) => isUnsent(Object(error) as Failure));
  return typeof syscall === "string" && unsentSyscalls.has(syscall);
}

/** The message, where it is the store's and not one that the SDK made up. */
function saidOf(
  { message, $fault: fault }: Failure,
  thrown: unknown,
  status: number | undefined,
  vendorCode: string | undefined,
): string {
  if (status !== undefined && vendorCode === undefined)
    return fault === undefined ? "what came is no answer of S3" : "";
  return clean(typeof message === "string" ? message : String(thrown));
}

/** The store's word; undefined where the SDK found none and made one up. */
function vendorCodeOf({ name, $fault: fault }: Failure): string | undefined {
  const isFound =
    fault !== undefined && typeof name === "string" && !/^(?:Unknown|UnknownError|NotFound|Error|\d+)$/.test(name);
  return isFound ? name : undefined;
}

function isSkewCorrected({ $metadata: metadata }: Failure): boolean {
  return metadata?.clockSkewCorrected === true;
}

/** By the answer's own date, so that no clock of ours matters. */
function retryAfterOf(headers: Readonly<Record<string, string>> | undefined): number | undefined {
  const text = headers?.["retry-after"];
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const waitMs = Date.parse(text) - Date.parse(headers?.["date"] ?? "");
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : undefined;
}

function requestIdOf({ $metadata: metadata }: Failure): { readonly requestId?: string } {
  const ids = [metadata?.requestId, metadata?.extendedRequestId].filter(
    // Not what something on the way may have put there.
    (id) => id !== undefined && /^[\w.:+/=-]{1,200}$/.test(id),
  );
  return ids.length === 0 ? {} : { requestId: ids.join(" ") };
}

/** The fields of an error that are kept, without what must not be shown. */
function cleanError(thrown: unknown, depth: number): Failure {
  const { name, message, code, cause } = Object(thrown) as Failure;
  return {
    name,
    message: clean(typeof message === "string" ? message : String(thrown)),
    code,
    ...(cause === undefined || cause === null || depth === 0 ? {} : { cause: cleanError(cause, depth - 1) }),
  };
}

/** Some servers answer with what was sent: what could be a signature, a token or a key is cut. */
function clean(text: string): string {
  return (
    withoutQueries(text)
      // What is that long is no word: a signature, or a token whose name may stand anywhere.
      .replaceAll(/[A-Za-z0-9+/=]{40,}/g, "…")
      .replaceAll(/((?:signature|credential|security-token|authorization|secret\w*|token)["']?\s*[:=]\s*)\S+/gi, "$1…")
      .slice(0, 500)
  );
}
