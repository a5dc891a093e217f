/**
 * Every failure of Cloud Storage, of the token endpoint and of the way to them, as a {@link StoreError}.
 * Sources: https://cloud.google.com/storage/docs/json_api/v1/status-codes, RFC 6749 section 5.2 for tokens.
 */
import { describeCause, StoreError, type StoreErrorCode, withoutQueries, type WriteCondition } from "@varve/fs-core";
import type { HttpAnswer } from "./gcs-request.ts";

/** What the request was. */
export interface FailedRequest {
  /** Whether it may have changed something. */
  readonly changes: boolean;
  /** Sent with it; says what a failed precondition means. */
  readonly condition?: WriteCondition;
  /** A checksum was sent, so a refusal may be about it: of this request's bytes, or of all that were sent before too. */
  readonly declaresChecksum?: "of-body" | "of-upload";
  /** It went to an upload: one that is not there any more may have been completed. */
  readonly isToUpload?: boolean;
  /** The access token was of use before, so it may have been withdrawn: another one may do. */
  readonly isTokenOld?: boolean;
  /** Must not appear in messages, should the server repeat them. */
  readonly secrets?: readonly string[];
}

/** An answer that is not a success. */
export function mapGcsAnswer(answer: HttpAnswer, request: FailedRequest): StoreError {
  const { status, headers, text } = answer;
  const envelope = parseEnvelope(text);
  // Front ends and proxies answer too; what those say is no word of what the store did.
  const isStores = envelope !== undefined || headers["x-guploader-uploadid"] !== undefined;
  // "Not found", said by somebody who does not know what is stored, is no word about an object.
  const isMisled = !isStores && request.isToUpload !== true && (status === 404 || status === 410);
  const code = isMisled ? "UNAVAILABLE" : codeOf(status, envelope, request);
  const isOver = request.isToUpload === true && code === "NOT_FOUND";
  const isCertain = isStores && status !== 408 && (status < 500 || status === 501);
  const said = envelope?.message ?? text;
  return new StoreError(code, `${sentenceOf(code)} (${status}${reasonPart(envelope)}): ${shown(said, request)}`, {
    status,
    outcome: isOver || (request.changes && !isCertain) ? "unknown" : "none",
    ...(envelope?.reason === undefined ? {} : { vendorCode: envelope.reason }),
    ...retryAfter(headers["retry-after"]),
    ...(isWorthAnother(code, request) ? { retryable: true } : {}),
  });
}

/** No answer, or only a part of one. */
export function mapConnectionError(error: unknown, request: Pick<FailedRequest, "changes">): StoreError {
  const code = nodeCodeOf(error);
  const isBeforeSending = isConnectFailure(error);
  const context = {
    outcome: request.changes && !isBeforeSending ? ("unknown" as const) : ("none" as const),
    cause: describeCause(error),
    ...(code === undefined ? {} : { vendorCode: code }),
  };
  if (isCertificateCode(code)) {
    return new StoreError("IO", `the server's certificate is not trusted (${code})`, { ...context, outcome: "none" });
  }
  if (code?.startsWith("ERR_INVALID") === true || code === "ERR_UNESCAPED_CHARACTERS") {
    return new StoreError("INVALID_ARGUMENT", `the request cannot be sent (${code})`, { ...context, outcome: "none" });
  }
  return new StoreError("UNAVAILABLE", `the connection failed (${code ?? "no code"})`, context);
}

/** A success that the store would not give: something else answers at this address. */
export function notTheStore(what: string, changes: boolean, status?: number): StoreError {
  return new StoreError("UNAVAILABLE", `the answer is not one of Cloud Storage: ${what}`, {
    outcome: changes ? "unknown" : "none",
    ...(status === undefined ? {} : { status }),
  });
}

/** What the token endpoint said. Nothing was sent to the store. */
export function mapTokenAnswer({ status, headers, text }: HttpAnswer): StoreError {
  const { error } = parseObject(text);
  const word = typeof error === "string" && /^[a-z_]{1,40}$/.test(error) ? error : undefined;
  const context = {
    status,
    ...(word === undefined ? {} : { vendorCode: word }),
    ...retryAfter(headers["retry-after"]),
  };
  if (status === 429) return new StoreError("THROTTLED", "the token endpoint asks for fewer requests", context);
  if (status === 408 || status >= 500) {
    return new StoreError("UNAVAILABLE", `the token endpoint failed (${status})`, context);
  }
  return new StoreError(
    "UNAUTHENTICATED",
    `no access token was given (${status} ${word ?? "without a word"})`,
    context,
  );
}

/** What a client of Google's authentication library threw. Nothing was sent to the store. */
export function mapAuthClientError(error: unknown): StoreError {
  const cause = describeCause(error);
  const { response, code } = (error ?? {}) as { response?: { status?: unknown; data?: unknown }; code?: unknown };
  const status = typeof response?.status === "number" ? response.status : undefined;
  if (status !== undefined) {
    const data = response?.data;
    const text = typeof data === "string" ? data : JSON.stringify(data ?? {});
    return mapTokenAnswer({ status, headers: {}, text });
  }
  if (typeof code === "string" && networkCodes.test(code)) {
    return new StoreError("UNAVAILABLE", `the token endpoint was not reached (${code})`, { cause, vendorCode: code });
  }
  return new StoreError("UNAUTHENTICATED", "no credentials were found, or they gave no token", { cause });
}

/** Node's. Others are about files and keys, and stay until somebody mends those. */
const networkCodes = /^E(?:AI_AGAIN|CONN[A-Z]+|HOST[A-Z]+|NET[A-Z]+|NOTFOUND|PIPE|TIMEDOUT)$/;

/** True when not only the object but its bucket is missing. */
export function isBucketMissing(error: StoreError): boolean {
  return error.code === "NOT_FOUND" && /bucket does not exist/i.test(error.message);
}

/** Beside the codes that always are. */
function isWorthAnother(code: StoreErrorCode, { isTokenOld, declaresChecksum }: FailedRequest): boolean {
  if (code === "UNAUTHENTICATED") return isTokenOld === true;
  // Changed on the way, and all of it is sent again.
  return code === "CORRUPT" && declaresChecksum === "of-body";
}

interface Envelope {
  readonly reason: string | undefined;
  readonly message: string;
}

function codeOf(status: number, envelope: Envelope | undefined, request: FailedRequest): StoreErrorCode {
  const reason = envelope?.reason;
  switch (status) {
    case 400:
      return request.declaresChecksum !== undefined && /crc32c|checksum|md5/i.test(envelope?.message ?? "")
        ? "CORRUPT"
        : "INVALID_ARGUMENT";
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return reason !== undefined && throttlingReasons.has(reason) ? "THROTTLED" : "PERMISSION_DENIED";
    case 404:
    case 410:
      return "NOT_FOUND";
    case 405:
    case 501:
      return "UNSUPPORTED";
    case 409:
      return "CONFLICT";
    case 412:
      if (reason?.startsWith("orgPolicy") === true) return "PERMISSION_DENIED";
      return request.condition?.ifAbsent === true ? "ALREADY_EXISTS" : "VERSION_MISMATCH";
    case 413:
      return "TOO_LARGE";
    case 499:
      // An upload that was cancelled.
      return request.isToUpload === true ? "NOT_FOUND" : "INVALID_ARGUMENT";
    case 416:
      return "INVALID_RANGE";
    case 429:
      return "THROTTLED";
    case 408:
      return "UNAVAILABLE";
    default:
      if (status >= 500) return "UNAVAILABLE";
      return status >= 400 ? "INVALID_ARGUMENT" : "IO";
  }
}

const throttlingReasons: ReadonlySet<string> = new Set(["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"]);

function sentenceOf(code: StoreErrorCode): string {
  return sentences[code] ?? "the store refused the request";
}

const sentences: { readonly [Code in StoreErrorCode]?: string } = {
  ALREADY_EXISTS: "an object is there already",
  VERSION_MISMATCH: "the object is another version, or gone",
  NOT_FOUND: "not there",
  UNAUTHENTICATED: "the credentials were not accepted",
  PERMISSION_DENIED: "not allowed",
  THROTTLED: "the store asks for fewer requests",
  UNAVAILABLE: "the store failed",
  CORRUPT: "the bytes did not arrive as they were sent",
};

/** The JSON API's form of errors: `{ error: { code, message, errors: [{ reason }] } }`. */
function parseEnvelope(text: string): Envelope | undefined {
  const { error } = parseObject(text);
  if (typeof error !== "object" || error === null) return undefined;
  const { message, errors } = error as { message?: unknown; errors?: unknown };
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const reason = typeof first === "object" && first !== null && "reason" in first ? first.reason : undefined;
  return {
    reason: typeof reason === "string" && /^[A-Za-z0-9_.-]{1,60}$/.test(reason) ? reason : undefined,
    message: typeof message === "string" ? message : "",
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function reasonPart(envelope: Envelope | undefined): string {
  return envelope?.reason === undefined ? "" : ` ${envelope.reason}`;
}

const shownCharactersMax = 300;

/** The server's words, on one line, short, and without what it may have repeated of ours. */
function shown(text: string, { secrets = [] }: FailedRequest): string {
  let safe = text;
  for (const secret of secrets) safe = safe.replaceAll(secret, "…");
  safe = withoutQueries(safe)
    .replaceAll(/\p{Control}+/gu, " ")
    .trim();
  return safe.length > shownCharactersMax ? `${safe.slice(0, shownCharactersMax)}…` : safe;
}

/** Seconds only; a date would need the store's clock. */
function retryAfter(header: string | undefined): { readonly retryAfterMs?: number } {
  return header !== undefined && /^\d{1,6}$/.test(header) ? { retryAfterMs: Number(header) * 1000 } : {};
}

function nodeCodeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

/** Whether it failed before a byte of the request was sent: names, routes and refusals. */
function isConnectFailure(error: unknown): boolean {
  const { syscall, errors } = (error ?? {}) as { syscall?: unknown; errors?: unknown };
  // Several addresses were tried, and none took the connection.
  if (Array.isArray(errors) && errors.length > 0) return errors.every(isConnectFailure);
  return syscall === "connect" || syscall === "getaddrinfo" || isCertificateCode(nodeCodeOf(error));
}

function isCertificateCode(code: string | undefined): boolean {
  return code !== undefined && /CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code);
}
