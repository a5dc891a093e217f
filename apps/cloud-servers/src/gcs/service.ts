/** What every handler works on. */
import type { Clock, Random } from "@varve/fs-core";
import { ApiError } from "./api-error.ts";
import type { Bucket } from "./bucket.ts";
import type { Budget } from "./content.ts";
import type { RewriteTokens } from "./rewrite-tokens.ts";
import type { UploadSessions } from "./upload-sessions.ts";

/** One server's state and settings. */
export interface Service {
  /** Scheme, host and port, for links. */
  readonly origin: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly buckets: ReadonlyMap<string, Bucket>;
  readonly budget: Budget;
  readonly sessions: UploadSessions;
  readonly rewriteTokens: RewriteTokens;
  readonly discardBodies: boolean;
  readonly rewriteBytesPerCall: number;
}

/** @throws ApiError 404 */
export function bucketOf(service: Service, name: string | undefined): Bucket {
  const bucket = name === undefined ? undefined : service.buckets.get(name);
  if (bucket === undefined) throw new ApiError(404, "notFound", "The specified bucket does not exist.");
  return bucket;
}

/** Unguessable, for sessions and tokens. */
export function newId(random: Random): string {
  return Buffer.from(random.fill(new Uint8Array(24))).toString("base64url");
}
