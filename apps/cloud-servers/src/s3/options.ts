import type { Clock, Random } from "@varve/fs-core";
import { systemClock, systemRandom } from "@varve/fs-core";
import type { FaultRule } from "../faults/fault-rule.ts";
import type { S3Credentials } from "./sigv4/verify.ts";

/** Where a server departs from S3, as its relatives do. All false by default. */
export interface S3Quirks {
  /** PutObject overwrites in spite of `If-None-Match: *`. */
  readonly ignoreIfNoneMatchOnPut?: boolean;
  /** CompleteMultipartUpload likewise. */
  readonly ignoreIfNoneMatchOnComplete?: boolean;
  /** CopyObject likewise. */
  readonly ignoreIfNoneMatchOnCopy?: boolean;
  /** `If-Match` has no effect on writes and deletions. */
  readonly ignoreIfMatch?: boolean;
  /** Checksums and Content-MD5 are neither checked nor kept. SHA-256 of a signed payload is still checked. */
  readonly noChecksums?: boolean;
  /** Bodies with a trailer get 411. */
  readonly refuseTrailers?: boolean;
  /** A directory bucket: lists unsorted, by prefixes that end in `/`; ETags are random; RenameObject exists. */
  readonly express?: boolean;
}

/** Sizes that S3 sets. Tests may lower them. */
export interface S3Limits {
  /** Bytes of one PutObject or part. Default 5 GiB. */
  readonly putBytesMax?: number;
  /** Bytes of the source of one CopyObject, or of the range of one UploadPartCopy. Default 5 GiB. */
  readonly copyBytesMax?: number;
  /** Bytes of every part but the last. Default 5 MiB. */
  readonly partBytesMin?: number;
}

/** How to start a server. */
export interface S3ServerOptions {
  /** Names of the buckets that exist: 3..63 characters a-z, 0-9, `.` and `-`. */
  readonly buckets: readonly string[];
  /** Without them the server is open: signatures are not checked, payload hashes are. */
  readonly credentials?: S3Credentials;
  /** Default `us-east-1`. */
  readonly region?: string;
  /** Port on the loopback interface; 0, the default, takes a free one. */
  readonly port?: number;
  readonly faults?: readonly FaultRule[];
  /** Keeps sizes and digests of objects and parts, not their bytes: they cannot be read, nor copied in ranges. */
  readonly discardBodies?: boolean;
  readonly limits?: S3Limits;
  readonly quirks?: S3Quirks;
  /** Requests that {@link S3Server.requests} remembers, the last ones. Default 10 000. */
  readonly requestsMax?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Options with nothing left open. */
export interface ResolvedS3Options {
  readonly buckets: readonly string[];
  readonly credentials: S3Credentials | undefined;
  readonly region: string;
  readonly port: number;
  readonly faults: readonly FaultRule[];
  readonly discardBodies: boolean;
  readonly limits: Required<S3Limits>;
  readonly quirks: Required<S3Quirks>;
  readonly requestsMax: number;
  readonly clock: Clock;
  readonly random: Random;
}

const noQuirks: Required<S3Quirks> = {
  ignoreIfNoneMatchOnPut: false,
  ignoreIfNoneMatchOnComplete: false,
  ignoreIfNoneMatchOnCopy: false,
  ignoreIfMatch: false,
  noChecksums: false,
  refuseTrailers: false,
  express: false,
};
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const s3Limits: Required<S3Limits> = { putBytesMax: 5 * 2 ** 30, copyBytesMax: 5 * 2 ** 30, partBytesMin: 5 * 2 ** 20 };

/** Names of quirks, for command lines. */
export const quirkNames: readonly string[] = Object.keys(noQuirks);

/** @throws RangeError with every rule that is broken */
export function resolveS3Options(options: S3ServerOptions): ResolvedS3Options {
  const resolved: ResolvedS3Options = {
    buckets: options.buckets,
    credentials: options.credentials,
    region: options.region ?? "us-east-1",
    port: options.port ?? 0,
    faults: options.faults ?? [],
    discardBodies: options.discardBodies ?? false,
    limits: { ...s3Limits, ...options.limits },
    quirks: { ...noQuirks, ...options.quirks },
    requestsMax: options.requestsMax ?? 10_000,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
  };
  const problems = [
    ...(resolved.buckets.length > 0 ? [] : ["buckets: want at least one"]),
    ...resolved.buckets.filter((name) => !isBucketName(name)).map((name) => `buckets: ${name} is no name for a bucket`),
    ...wholeNumber("port", resolved.port, 0, 65_535),
    ...wholeNumber("requestsMax", resolved.requestsMax, 0, 2 ** 32),
    ...Object.entries(resolved.limits).flatMap(([name, value]) => wholeNumber(name, value, 0, 2 ** 50)),
    ...Object.keys(resolved.quirks)
      .filter((name) => !quirkNames.includes(name))
      .map((name) => `quirks: there is no ${name}`),
    ...(/^[a-z0-9-]+$/.test(resolved.region) ? [] : [`region: got ${resolved.region}`]),
  ];
  if (problems.length > 0) throw new RangeError(problems.join("\n"));
  return Object.freeze(resolved);
}

function isBucketName(name: string): boolean {
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name);
}

function wholeNumber(name: string, value: number, min: number, max: number): string[] {
  const isFine = Number.isSafeInteger(value) && value >= min && value <= max;
  return isFine ? [] : [`${name}: got ${value}, want a whole number in ${min}..${max}`];
}
