/**
 * Every failure of the SDK, the service and the network as a {@link StoreError}: the only place that reads their fields.
 * The service's words are in "Common REST API error codes", "Blob service error codes" and the reference of `Path - Create`.
 *
 * The outcome is `none` only for answers that are certainly the service's and refuse the request, and when no connection came
 * about. What the service says after it tried (5xx) may hide a success.
 */
import { describeCause, isStoreError, StoreError, type StoreErrorCode } from "@varve/fs-core";

/** What was asked for. */
export interface RequestContext {
  /** A read changes nothing, whatever becomes of it. */
  readonly kind: "read" | "write" | "delete";
  readonly ifAbsent?: boolean | undefined;
  readonly ifMatch?: string | undefined;
  readonly container: string;
  readonly signal: AbortSignal;
}

interface Meaning {
  readonly code: StoreErrorCode;
  readonly says: string;
  /** Overrides what the code implies. */
  readonly retryable?: boolean;
}

/** What is read of an error. */
interface Failure {
  readonly status: number | undefined;
  readonly vendorCode: string | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly socketCode: string | undefined;
  /** No connection came about. */
  readonly isUnsent: boolean;
}

const gone: Meaning = { code: "NOT_FOUND", says: "nothing is there" };
const exists: Meaning = { code: "ALREADY_EXISTS", says: "an object is there" };
const mismatch: Meaning = { code: "VERSION_MISMATCH", says: "another version is there, or none" };
const busy: Meaning = { code: "CONFLICT", says: "another change of this object goes on" };
const folder: Meaning = { code: "KEY_CONFLICT", says: "a folder is at this key, or an object at one of its folders" };
const forbidden: Meaning = { code: "PERMISSION_DENIED", says: "the credentials do not allow this" };
const stranger: Meaning = { code: "UNAUTHENTICATED", says: "the credentials are not valid here" };
const leased: Meaning = { code: "PERMISSION_DENIED", says: "a lease on the object or container keeps others from it" };
const kept: Meaning = { code: "PERMISSION_DENIED", says: "snapshots or a retention policy keep the object" };
const tooLarge: Meaning = { code: "TOO_LARGE", says: "the service takes no more in one request or object" };
const damaged: Meaning = { code: "CORRUPT", says: "the bytes arrived other than they were sent", retryable: true };
const throttled: Meaning = { code: "THROTTLED", says: "the service asks for fewer requests" };
const failing: Meaning = { code: "UNAVAILABLE", says: "the service failed" };
const archived: Meaning = {
  code: "UNAVAILABLE",
  says: "the object is in the archive tier: rehydrate it",
  retryable: false,
};

const meanings: Readonly<Record<string, Meaning>> = {
  BlobNotFound: gone,
  ResourceNotFound: gone,
  PathNotFound: gone,
  SourcePathNotFound: gone,
  BlobAlreadyExists: exists,
  PathAlreadyExists: exists,
  SourceConditionNotMet: { code: "VERSION_MISMATCH", says: "the source is another version" },
  InvalidRange: { code: "INVALID_RANGE", says: "the range begins beyond the object's end" },
  // The blocks went when somebody else committed a list of his, or wrote the whole blob.
  InvalidBlockList: {
    code: "CONFLICT",
    says: "blocks of the upload are gone: another write of this object came first",
  },
  InvalidBlobOrBlock: {
    code: "CONFLICT",
    says: "blocks of another kind wait below this name; they go after a week, or with the next write of the object",
    retryable: false,
  },
  PendingCopyOperation: busy,
  LeaseIdMissing: leased,
  LeaseIdMismatchWithBlobOperation: leased,
  LeaseAlreadyPresent: leased,
  SnapshotsPresent: kept,
  BlobImmutableDueToPolicy: kept,
  BlobIsSealed: kept,
  BlobArchived: archived,
  BlobBeingRehydrated: archived,
  ContainerBeingDeleted: { code: "UNAVAILABLE", says: "the container is being deleted" },
  FilesystemBeingDeleted: { code: "UNAVAILABLE", says: "the container is being deleted" },
  AccountBeingCreated: { code: "UNAVAILABLE", says: "the account is being created" },
  AccountIsDisabled: { code: "PERMISSION_DENIED", says: "the account is disabled" },
  ContainerDisabled: { code: "PERMISSION_DENIED", says: "the container is disabled" },
  InsufficientAccountPermissions: forbidden,
  AuthorizationFailure: forbidden,
  AuthorizationPermissionMismatch: forbidden,
  AuthorizationProtocolMismatch: forbidden,
  AuthorizationResourceTypeMismatch: forbidden,
  AuthorizationServiceMismatch: forbidden,
  AuthorizationSourceIPMismatch: forbidden,
  KeyBasedAuthenticationNotPermitted: forbidden,
  PublicAccessNotPermitted: forbidden,
  AuthenticationFailed: stranger,
  InvalidAuthenticationInfo: stranger,
  NoAuthenticationInformation: stranger,
  Md5Mismatch: damaged,
  Crc64Mismatch: damaged,
  ServerBusy: throttled,
  TooManyRequests: throttled,
  OperationTimedOut: { code: "UNAVAILABLE", says: "the service gave up within the request" },
  InternalError: failing,
  RequestBodyTooLarge: tooLarge,
  RequestEntityTooLarge: tooLarge,
  MetadataTooLarge: tooLarge,
  BlockListTooLong: tooLarge,
  BlockCountExceedsLimit: tooLarge,
  PathConflict: folder,
  ResourceTypeMismatch: folder,
  InvalidSourceOrDestinationResourceType: folder,
  DirectoryIsNotEmpty: folder,
  DirectoryNotEmpty: folder,
  InvalidDestinationPath: folder,
  InvalidUri: { code: "INVALID_KEY", says: "the service takes no such name" },
  InvalidResourceName: { code: "INVALID_KEY", says: "the service takes no such name" },
  InvalidBlobType: { code: "IO", says: "what is there is no block blob" },
  FeatureVersionMismatch: { code: "UNSUPPORTED", says: "the object needs a newer version of the service" },
  UnsupportedHttpVerb: { code: "UNSUPPORTED", says: "the service does not know this request" },
};

const byStatus: Readonly<Record<number, Meaning>> = {
  400: { code: "INVALID_ARGUMENT", says: "the service refuses the request" },
  401: stranger,
  403: forbidden,
  404: gone,
  405: { code: "UNSUPPORTED", says: "the service does not know this request" },
  409: busy,
  412: mismatch,
  413: tooLarge,
  416: { code: "INVALID_RANGE", says: "the range begins beyond the object's end" },
  429: throttled,
  501: { code: "UNSUPPORTED", says: "the service does not know this request" },
};

/** Failures before a connection was there: the request was not sent. */
const unsentCode = /^(?:CERT_.*|.*_CERT.*|ERR_TLS_.*)$/;
/**
 * The same codes come of connections that were made, when a host becomes unreachable while its answer is awaited; of the
 * system call that failed the SDK keeps only the message. Of several addresses that were tried it keeps none.
 */
const unsentMessage = /^(?:$|(?:connect|bind|getaddrinfo) )/;
const connectCode = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ETIMEDOUT)$/;

export function mapAzureError(error: unknown, context: RequestContext): StoreError {
  const isRead = context.kind === "read";
  if (isStoreError(error)) {
    return isRead && error.outcome === "unknown" ? new StoreError(error.code, error.message) : error;
  }
  const failure = read(error);
  const isAnswer = failure.status !== undefined && (failure.vendorCode ?? failure.requestId) !== undefined;
  const meaning = meaningOf(failure, isAnswer, context);
  const certain = isAnswer ? (failure.status ?? 0) < 500 : failure.isUnsent;
  const words = [
    failure.vendorCode ?? failure.socketCode,
    failure.status === undefined ? undefined : `HTTP ${failure.status}`,
  ];
  return new StoreError(
    meaning.code,
    `${meaning.says} (${words.filter((word) => word !== undefined).join(", ") || nameOf(error)})`,
    {
      outcome: isRead || certain ? "none" : "unknown",
      cause: safeCause(error, failure),
      ...(meaning.retryable === undefined ? {} : { retryable: meaning.retryable }),
      ...(failure.status === undefined ? {} : { status: failure.status }),
      ...(failure.vendorCode === undefined ? {} : { vendorCode: failure.vendorCode }),
      ...(failure.requestId === undefined ? {} : { requestId: failure.requestId }),
      ...(failure.retryAfterMs === undefined ? {} : { retryAfterMs: failure.retryAfterMs }),
    },
  );
}

function meaningOf(failure: Failure, isAnswer: boolean, context: RequestContext): Meaning {
  const { status, vendorCode } = failure;
  if (context.signal.aborted) return { code: "ABORTED", says: "stopped" };
  if (status === undefined) {
    if (failure.isUnsent) return { code: "UNAVAILABLE", says: "there is no way to the service" };
    const isBroken = failure.socketCode !== undefined && failure.socketCode !== "PARSE_ERROR";
    // What the SDK throws without a code comes of answers that are not in the service's form: of a guest network, say.
    const says = isBroken ? "the connection to the service broke" : "an answer came that cannot be read";
    return { code: "UNAVAILABLE", says };
  }
  if (!isAnswer || status < 300) {
    return { code: "UNAVAILABLE", says: "an answer came that is not one of the service's" };
  }
  if (vendorCode === "ContainerNotFound" || vendorCode === "FilesystemNotFound") {
    return { code: "NOT_FOUND", says: `the container ${JSON.stringify(context.container)} is not there` };
  }
  // A condition is named in the request, not in the refusal. One that nobody asked for was our own.
  if (vendorCode === "ConditionNotMet" || vendorCode === "TargetConditionNotMet") {
    if (context.ifAbsent === true) return exists;
    return context.ifMatch === undefined ? busy : mismatch;
  }
  // What was to be replaced is gone.
  if (vendorCode === "BlobNotFound" && context.kind === "write" && context.ifMatch !== undefined) return mismatch;
  // The signature allows creating and not replacing.
  if (vendorCode === "UnauthorizedBlobOverwrite") return context.ifAbsent === true ? exists : forbidden;
  if (vendorCode === "CannotVerifyCopySource") return sourceMeaning(status);
  const meaning = (vendorCode === undefined ? undefined : meanings[vendorCode]) ?? byStatus[status];
  return meaning ?? (status >= 500 ? failing : { code: "IO", says: "the service refuses the request" });
}

/** The service tells what it was told when it read the source. */
function sourceMeaning(status: number): Meaning {
  if (status === 404) return { code: "NOT_FOUND", says: "the source is not there" };
  if (status === 401 || status === 403) return { code: "PERMISSION_DENIED", says: "the source may not be read" };
  if (status === 412) return { code: "VERSION_MISMATCH", says: "the source is another version" };
  return { code: "UNAVAILABLE", says: "the service could not read the source" };
}

function read(error: unknown): Failure {
  const { statusCode, code, message, response } = (error ?? {}) as {
    readonly statusCode?: unknown;
    readonly code?: unknown;
    readonly message?: unknown;
    readonly response?: { readonly headers?: { get?(name: string): string | undefined } };
  };
  const header = (name: string): string | undefined => response?.headers?.get?.(name);
  const status = typeof statusCode === "number" ? statusCode : undefined;
  const word = typeof code === "string" ? code : undefined;
  return {
    status,
    vendorCode: status === undefined ? undefined : (header("x-ms-error-code") ?? vendorWord(word)),
    requestId: header("x-ms-request-id"),
    retryAfterMs: retryAfterMs(header("retry-after")),
    socketCode: status === undefined ? word : undefined,
    isUnsent: status === undefined && isUnsent(word ?? "", typeof message === "string" ? message : ""),
  };
}

function isUnsent(code: string, message: string): boolean {
  return unsentCode.test(code) || (connectCode.test(code) && unsentMessage.test(message));
}

/** The SDK's own codes are in capitals, the service's are not. */
function vendorWord(word: string | undefined): string | undefined {
  return word !== undefined && /^[A-Z][a-z][A-Za-z0-9]{1,60}$/.test(word) ? word : undefined;
}

function retryAfterMs(seconds: string | undefined): number | undefined {
  return seconds !== undefined && /^[0-9]{1,6}$/.test(seconds) ? Number(seconds) * 1000 : undefined;
}

/**
 * Of the service's own refusals the first line is a sentence; below it stands what was answered for: the signature that
 * was computed, for example. What anybody else answered may repeat the whole request.
 */
function safeCause(error: unknown, { status, vendorCode }: Failure): Error {
  const cause = describeCause(error);
  const [line = ""] = cause.message.split("\n", 1);
  const isParsers = cause.name === "SyntaxError" || ("code" in cause && cause.code === "PARSE_ERROR");
  const isShown = !isParsers && (status === undefined || vendorCode !== undefined) && !/[<{]/.test(line);
  const short = new Error(isShown ? line.slice(0, 300) : "an answer that is not shown");
  short.name = cause.name;
  short.stack = `${short.name}: ${short.message}`;
  return "code" in cause ? Object.assign(short, { code: cause.code }) : short;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
