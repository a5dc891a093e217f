/** The words by which S3 and its relatives refuse. Some mean more in context: see `map-s3-error.ts`. */
import type { StoreErrorCode, StoreOutcome } from "@varve/fs-core";

/** What a caller should make of a failure. */
export interface Meaning {
  readonly code: StoreErrorCode;
  /** Default: by the status; `none` where the store refused. */
  readonly outcome?: StoreOutcome;
  readonly retryable?: boolean;
  /** What to do, where the code does not say enough. */
  readonly advice?: string;
}

const throttled: Meaning = { code: "THROTTLED" };
const corrupt: Meaning = { code: "CORRUPT", retryable: true };
export const unauthenticated: Meaning = { code: "UNAUTHENTICATED", advice: "see to the credentials" };
const tooLarge: Meaning = { code: "TOO_LARGE" };
const noSpace: Meaning = { code: "NO_SPACE" };
const resent: Meaning = { code: "UNAVAILABLE" };
/** The bucket is in another region, or at another address. */
export const elsewhere: Meaning = { code: "INVALID_ARGUMENT" };

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what other servers add to it. */
export const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ["NoSuchUpload", { code: "NOT_FOUND" }],
  ["InvalidPart", { code: "NOT_FOUND", advice: "a part that was named is not there" }],
  ["InvalidPartOrder", { code: "INVALID_ARGUMENT" }],
  ["InvalidRange", { code: "INVALID_RANGE" }],
  ["KeyTooLongError", { code: "INVALID_KEY" }],
  ["ConditionalRequestConflict", { code: "CONFLICT" }],
  ["OperationAborted", { code: "CONFLICT" }],
  ["BadDigest", corrupt],
  ["InvalidDigest", corrupt],
  ["XAmzContentSHA256Mismatch", corrupt],
  ["XAmzContentChecksumMismatch", corrupt],
  ["EntityTooLarge", tooLarge],
  ["MetadataTooLarge", tooLarge],
  ["MaxMessageLengthExceeded", tooLarge],
  ["EntityTooSmall", { code: "INVALID_ARGUMENT" }],
  ["SlowDown", throttled],
  ["SlowDownRead", throttled],
  ["SlowDownWrite", throttled],
  ["Throttling", throttled],
  ["ThrottlingException", throttled],
  ["RequestThrottled", throttled],
  ["RequestLimitExceeded", throttled],
  ["TooManyRequests", throttled],
  ["BandwidthLimitExceeded", throttled],
  ["RequestTimeout", resent],
  ["IncompleteBody", resent],
  [
    "RequestTimeTooSkewed",
    { code: "UNAUTHENTICATED", advice: "set this machine's clock: it differs from the store's" },
  ],
  ["InvalidAccessKeyId", unauthenticated],
  ["SignatureDoesNotMatch", unauthenticated],
  ["ExpiredToken", unauthenticated],
  ["InvalidToken", unauthenticated],
  ["TokenRefreshRequired", unauthenticated],
  ["InvalidSecurity", unauthenticated],
  ["MissingSecurityHeader", unauthenticated],
  ["NotSignedUp", unauthenticated],
  ["AccessDenied", { code: "PERMISSION_DENIED" }],
  ["AllAccessDisabled", { code: "PERMISSION_DENIED" }],
  ["AccountProblem", { code: "PERMISSION_DENIED" }],
  ["InvalidObjectState", { code: "IO", advice: "the object is archived and must be restored first" }],
  ["PermanentRedirect", elsewhere],
  ["TemporaryRedirect", elsewhere],
  ["Redirect", elsewhere],
  ["AuthorizationHeaderMalformed", elsewhere],
  ["IllegalLocationConstraintException", elsewhere],
  ["IncorrectEndpoint", elsewhere],
  ["NotImplemented", { code: "UNSUPPORTED" }],
  ["MethodNotAllowed", { code: "UNSUPPORTED" }],
  ["QuotaExceeded", noSpace],
  ["XMinioStorageFull", noSpace],
  ["XMinioAdminBucketQuotaExceeded", noSpace],
]);
